"""Chooses the release of a rollback."""

from __future__ import annotations

from schemas.errors import BadRelease
from trainer.publish.release_history import Publication, Published


def choose(known: Published, version: str | None) -> Publication:
    """The release to go back to.

    Args:
        known: the published releases.
        version: the version to go back to; None: the previous release.

    Raises:
        BadRelease: there is no such release, or it is already current.
    """
    if known.current is None and not known.releases:
        raise BadRelease("there is no release to go back to: none was published yet")
    if version is None:
        if known.previous is None:
            raise BadRelease(
                f"there is no release to go back to: {known.releases[-1].release.version} is the only "
                "published release"
            )
        return known.previous
    found = known.by_version(version)
    if found is None:
        versions = ", ".join(each.release.version for each in known.releases)
        raise BadRelease(f"there is no release {version}: use one of {versions}")
    if found is known.current:
        raise BadRelease(f"release {version} is already current: `segue releases` lists the others")
    return found
