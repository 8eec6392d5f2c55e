"""Publish a release: its files to a store, its numbers to Kafka, where workers find them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from schemas.headers import release_headers
from schemas.topics import MODELS_CURRENT_KEY, Topics
from schemas.wire import encode_release
from trainer.models_topic import ModelsTopic
from trainer.release import load_release
from trainer.upload import upload


def publish(
    folder: Path,
    bootstrap: str,
    topics: Topics,
    to: str | None = None,
    client: Mapping[str, Any] | None = None,
    *,
    at: datetime | None = None,
    deadline_s: float = 15.0,
) -> int:
    """Make a release the current one; gives its activation, the offset of its ``current`` record.

    1. Verify the folder.
    2. Make the topic when it is missing: one partition, compacted.
    3. Copy the folder to ``to``, and note where in ``artifacts_uri``.
    4. In one transaction write the release under its version and under ``current``.

    Where it ends before 4 is committed, nothing has changed for any worker. To publish again is to
    activate again, and changes nobody's segment.

    Args:
        folder: the release's.
        bootstrap: Kafka's ``bootstrap.servers``.
        topics: the names of the topics.
        to: a directory's URL or path for fsspec; None copies nothing.
        client: more settings of librdkafka, such as the login's.
        at: the time in the records' headers; now, when None.
        deadline_s: how long to wait for each answer of Kafka.

    Raises:
        BadRelease: the folder is damaged, or the release too large for a record.
        BadSetting: ``to`` or ``client`` cannot be used.
        BadTopics: the topic exists and is not as it has to be.
        Unreachable: Kafka or the store does not answer, or refuses.
    """
    release = load_release(folder)
    topic = ModelsTopic(bootstrap, topics, client or {}, deadline_s)
    topic.ensure()
    if to is not None:
        release = replace(release, artifacts_uri=upload(folder, release.version, to))
    at = at or datetime.now(UTC)
    value = encode_release(release)
    offsets = topic.write(
        [
            (key, value, release_headers(release, topics, key=key, at=at))
            for key in (release.version, MODELS_CURRENT_KEY)
        ]
    )
    return offsets[-1]
