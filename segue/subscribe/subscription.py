"""What a program subscribes to, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypedDict, get_args

from schemas.errors import BadSetting
from schemas.printable import printable
from schemas.topics import Topics
from segue.subscribe.change_filter import Only

Start = Literal["new", "oldest", "states"]


class Options(TypedDict, total=False):
    """What :func:`segue.subscribe.changes` takes beside Kafka's address.

    Attributes:
        topic_prefix: the start of every topic's name, as in Segue's settings.
        group: the consumer group that keeps how far the program is, and shares the users among its
            instances. Without a group, and without a memory, every start begins anew.
        start: where to begin for the first time. ``new``: with the changes from now on. ``oldest``: with the
            oldest changes in Kafka. ``states``: with the newest state of every user, then its changes.
        segment: only changes of users who are in this segment before or after: its number, or its name in the
            current release, which is read once.
        only: only changes by which a user enters, or leaves, the segment (or any segment).
        provisional: whether provisional changes are wanted too.
        memory: a file for this process, to pass over changes that it has handled already.
        kafka_options: librdkafka's settings of a client, such as ``security.protocol``.
    """

    topic_prefix: str
    group: str | None
    start: Start
    segment: int | str | None
    only: Only | None
    provisional: bool
    memory: str | Path | None
    kafka_options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a program subscribes to; :class:`Options` describes each field.

    Raises:
        BadSetting: a field has a value that cannot be used.
    """

    kafka: str
    topic_prefix: str = ""
    group: str | None = None
    start: Start = "new"
    segment: int | str | None = None
    only: Only | None = None
    provisional: bool = False
    memory: str | Path | None = None
    kafka_options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        _one_of("start", self.start, get_args(Start))
        if self.only is not None:
            _one_of("only", self.only, get_args(Only))
        for name, value in (("kafka", self.kafka), ("group", self.group), ("memory", self.memory)):
            if value is not None and not str(value).strip():
                raise BadSetting(name, value, "an empty text names nothing")
        if isinstance(self.segment, bool) or not isinstance(self.segment, int | str | None):
            raise BadSetting("segment", self.segment, "give a segment's number or its name")

    @property
    def client(self) -> dict[str, str]:
        """The options of every librdkafka client. They may contain secrets."""
        return {**self.kafka_options, "bootstrap.servers": self.kafka}

    @property
    def topics(self) -> Topics:
        """The names of the topics."""
        return Topics(self.topic_prefix)


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise BadSetting(name, printable(str(value)), f"give {', '.join(choices[:-1])} or {choices[-1]}")
