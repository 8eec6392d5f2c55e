"""What the topic of releases says: which were published, which is current, and which was before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from schemas.errors import BadRelease
from schemas.outputs.headers import CREATED_AT
from schemas.outputs.wire import decode_release
from schemas.release.model_release import ModelRelease
from schemas.topics import MODELS_CURRENT_KEY
from trainer.publish.releases_topic import ReleaseRecord


@dataclass(frozen=True, slots=True)
class Publication:
    """A release that was published.

    Attributes:
        release: as it was published last, with its ``artifacts_uri``.
        created_at: when it was made, RFC 3339; None where its record does not say.
        published_at: when it was published or rolled back to last, RFC 3339; None likewise.
        activations: those that the topic still holds, ascending; compaction removes all but the newest record
            of ``current``.
    """

    release: ModelRelease
    created_at: str | None
    published_at: str | None
    activations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """All releases that can be read.

    Attributes:
        releases: in the order in which they were made current last.
        current: the one in use, None before the first.
        activation: its number; None before the first.
        problem: why the newest record of ``current`` cannot be read, where it cannot.
    """

    releases: tuple[Publication, ...] = ()
    current: Publication | None = None
    activation: int | None = None
    problem: str | None = None

    @property
    def next_segment(self) -> int:
        """Above every segment's id that any of them gives."""
        return max((each.release.next_segment for each in self.releases), default=0)

    @property
    def previous(self) -> Publication | None:
        """The release that was current before the one in use."""
        others = [each for each in self.releases if each is not self.current]
        return others[-1] if others else None

    def by_version(self, version: str) -> Publication | None:
        """The release with this version."""
        return next((each for each in self.releases if each.release.version == version), None)


def published(records: Iterable[ReleaseRecord]) -> Published:
    """Read the topic's records, oldest first.

    A version's record is written again with each of its activations, in one transaction with ``current``. So
    the order of versions is that of their last activations, whatever compaction removed.
    """
    by_version: dict[str, Publication] = {}
    activations: dict[str, list[int]] = {}
    current, activation, problem = None, None, None
    for record in records:
        key, value = record.key or b"", record.value
        is_current = key == MODELS_CURRENT_KEY.encode()
        if value is None:
            by_version.pop(key.decode(errors="replace"), None)
            continue
        try:
            release = decode_release(value)
        except BadRelease as error:
            # A record of another kind, or of another version of Segue.
            if is_current:
                current, activation, problem = None, record.offset, str(error)
            continue
        if is_current:
            current, activation, problem = release.version, record.offset, None
            activations.setdefault(release.version, []).append(record.offset)
        if is_current and release.version in by_version:
            continue
        by_version.pop(release.version, None)
        by_version[release.version] = Publication(
            release, _header(record, CREATED_AT), _header(record, "ce_time")
        )
    found = tuple(
        replace(each, activations=tuple(activations.get(version, ()))) for version, each in by_version.items()
    )
    in_use = next((each for each in found if each.release.version == current), None)
    return Published(found, in_use, activation, problem)


def _header(record: ReleaseRecord, name: str) -> str | None:
    value = dict(record.headers).get(name)
    return None if value is None else value.decode(errors="replace")
