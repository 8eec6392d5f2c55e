"""Reads the topic of releases: the published releases, the current release and the previous release."""

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
    """A published release.

    Attributes:
        release: the release as last published, with its ``artifacts_uri``.
        created_at: the time when it was made, RFC 3339; None if its record does not have it.
        published_at: the time of its last publication or rollback, RFC 3339; None likewise.
        activations: its activations that the topic still has, ascending. Compaction removes all records of
            ``current`` except the newest.
    """

    release: ModelRelease
    created_at: str | None
    published_at: str | None
    activations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """All readable releases of the topic.

    Attributes:
        releases: the releases, in the order of their last activations.
        current: the release in use; None before the first.
        activation: the activation of the release in use; None before the first.
        problem: why the newest record of ``current`` cannot be read; None if it can.
    """

    releases: tuple[Publication, ...] = ()
    current: Publication | None = None
    activation: int | None = None
    problem: str | None = None

    @property
    def next_segment(self) -> int:
        """An id above all segment ids of all releases."""
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
    """The published releases, from the topic's records (oldest first).

    Each activation writes the version's record again, in one transaction with ``current``. So the order of
    the versions is the order of their last activations, even after compaction.
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
            # A record of another format, or from another version of Segue.
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
