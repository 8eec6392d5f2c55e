"""The job of a program, and how the program says that it is ready and done."""

import os
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from schemas.release.model_release import ModelRelease
from schemas.topics import Topics


class Job(Struct, frozen=True, kw_only=True):
    """One run of a program.

    Attributes:
        kafka: the bootstrap servers.
        redis: the URL.
        topic_prefix: the prefix of the topics.
        redis_prefix: the prefix of the keys in Redis.
        group: the consumer group.
        release: the file with the release.
        folder: where the program may keep files.
        partitions: how many partitions each topic has.
        lanes: how many threads share the partitions.
        batch: the most events of a batch.
        events: the program is done after this number.
    """

    kafka: str
    redis: str
    topic_prefix: str
    redis_prefix: str
    group: str
    release: str
    folder: str
    partitions: int
    lanes: int = 1
    batch: int = 1_000
    events: int = 0

    @property
    def topics(self) -> Topics:
        return Topics(self.topic_prefix)

    def read_release(self) -> ModelRelease:
        """The release that decides."""
        return msgspec.json.decode(Path(self.release).read_bytes(), type=ModelRelease)


READY, DONE = "ready", "done"


def read_job() -> Job:
    """The job in the program's first argument."""
    return msgspec.json.decode(sys.argv[1], type=Job)


def say(word: str) -> None:
    """Tell the parent."""
    print(word, flush=True)


def done_and_wait() -> None:
    """Say that all events are applied, and end when the parent has read the accounts."""
    say(DONE)
    sys.stdin.read()
    os._exit(0)
