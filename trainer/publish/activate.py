"""Makes a release current: the only code that does so, for publishing and for a rollback."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.errors import BadRelease
from schemas.outputs.headers import release_headers
from schemas.outputs.wire import encode_release
from schemas.topics import MODELS_CURRENT_KEY, Topics
from trainer.publish.release_history import Publication, Published, published
from trainer.publish.releases_topic import ReleasesTopic


def activate(
    publication: Publication,
    known: Published,
    topic: ReleasesTopic,
    topics: Topics,
    *,
    at: datetime | None = None,
) -> int:
    """Write a release under its version and under ``current``; return the activation.

    First any open transaction of another publisher is ended. Then a check makes sure that no other release
    became current since ``known`` was read.

    Args:
        publication: the release, and the time when it was made.
        known: the published releases at the time of the decision to make this release current.
        topic: the topic of releases.
        topics: the names of the topics.
        at: the time in the records' headers; None: now.

    Returns:
        The activation: the offset of the ``current`` record.

    Raises:
        BadRelease: the release is too large for a record, or another release became current meanwhile.
        BadTopics: the topic does not accept records as large as it should.
        Unreachable: Kafka does not answer, or another publisher took over.
    """
    release, at = publication.release, at or datetime.now(UTC)

    def check() -> None:
        if published(topic.read()).activation != known.activation:
            raise BadRelease(
                f"another release became current while {release.version} was being published, and nothing "
                "was published here: look at `segue releases`, then publish again"
            )

    value = encode_release(release)
    created_at = publication.created_at or ""
    records = [
        (key, value, release_headers(release, topics, key=key, at=at, created_at=created_at))
        for key in (release.version, MODELS_CURRENT_KEY)
    ]
    return topic.write(records, check)
