"""The one way in which a release becomes current: published, or rolled back to."""

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
    """Write a release under its version and under ``current``; gives the activation, the offset of ``current``.

    First it ends what another publisher has begun, and sees that nobody else made a release current meanwhile.

    Args:
        publication: the release, and when it was made.
        known: what was published when it was decided that this one should be current.
        topic: where to.
        topics: the names of the topics.
        at: the time in the records' headers; now, when None.

    Raises:
        BadRelease: the release is too large for a record, or another one became current meanwhile.
        BadTopics: the topic takes smaller records than it should.
        Unreachable: Kafka does not answer, or another publisher took over.
    """
    release, at = publication.release, at or datetime.now(UTC)

    def check() -> None:
        if published(topic.read()).activation != known.activation:
            raise BadRelease(
                f"another release became current while {release.version} was being published, and nothing was "
                "published here: look at `segue releases`, then publish again"
            )

    value = encode_release(release)
    created_at = publication.created_at or ""
    records = [
        (key, value, release_headers(release, topics, key=key, at=at, created_at=created_at))
        for key in (release.version, MODELS_CURRENT_KEY)
    ]
    return topic.write(records, check)
