"""Which release a rollback goes to."""

from __future__ import annotations

from schemas.errors import BadRelease
from trainer.publish.release_history import Publication, Published


def choose(known: Published, version: str | None) -> Publication:
    """The release to go back to.

    Args:
        known: what is published.
        version: which one; None takes the one that was current before.

    Raises:
        BadRelease: there is no such release, or it is the current one.
    """
    if known.current is None and not known.releases:
        raise BadRelease("there is no release to go back to: none was published yet")
    if version is None:
        if known.previous is None:
            raise BadRelease(
                f"there is no release to go back to: {known.releases[-1].release.version} is the only one published"
            )
        return known.previous
    found = known.by_version(version)
    if found is None:
        versions = ", ".join(each.release.version for each in known.releases)
        raise BadRelease(f"there is no release {version}: use one of {versions}")
    if found is known.current:
        raise BadRelease(f"release {version} is the current one already: `segue releases` lists the others")
    return found
