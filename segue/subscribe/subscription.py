"""What a program subscribes to, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Literal, TypedDict, get_args

from schemas.errors import BadSetting
from schemas.printable import printable
from schemas.topics import Topics
from segue.config.setting_texts import brokers, options_table, topic_prefix_text
from segue.subscribe.change_filter import Only
from segue.subscribe.group_owner import check_group_name

Start = Literal["new", "oldest", "states"]


class Options(TypedDict, total=False):
    """What :func:`segue.subscribe.changes` takes beside Kafka's address.

    Attributes:
        topic_prefix: the start of every topic's name, as in Segue's settings.
        group: the consumer group that keeps how far the program is, and shares the users among its
            instances; not a group of Segue's own. Without a group, and without a memory, every start begins
            anew.
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

    Attributes:
        workers_group: the group of the workers, in which nobody may subscribe.

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
    workers_group: str = "segue"

    def __post_init__(self) -> None:
        _check_type("kafka", self.kafka, str, "host:port, for example localhost:9092")
        _check_text("kafka", self.kafka, brokers)
        _check_type("topic_prefix", self.topic_prefix, str, "a text, such as eu.")
        _check_text("topic_prefix", self.topic_prefix, topic_prefix_text)
        _check_named("group", self.group, str, "the name of a consumer group")
        if self.group is not None:
            check_group_name(self.group, self.workers_group)
        _one_of("start", self.start, get_args(Start))
        _check_segment(self.segment)
        if self.only is not None:
            _one_of("only", self.only, get_args(Only))
        _check_type("provisional", self.provisional, bool, "True or False")
        _check_named("memory", self.memory, str | Path, "the path of a file")
        _check_options(self.kafka_options)

    @property
    def client(self) -> dict[str, str]:
        """The options of every librdkafka client. They may contain secrets."""
        return {**options_table(self.kafka_options), "bootstrap.servers": self.kafka}

    @property
    def topics(self) -> Topics:
        """The names of the topics."""
        return Topics(self.topic_prefix)


def _check_type(name: str, value: object, kind: type | UnionType, wanted: str) -> None:
    if not isinstance(value, kind):
        raise BadSetting(name, value, f"give {wanted}")


def _check_text(name: str, value: str, parse: Callable[[str], object]) -> None:
    try:
        parse(value)
    except ValueError as error:
        raise BadSetting(name, value, str(error)) from None


def _check_named(name: str, value: object, kind: type | UnionType, wanted: str) -> None:
    """Check an option that may be None, but not empty."""
    if value is None:
        return
    _check_type(name, value, kind, wanted)
    if not str(value).strip():
        raise BadSetting(name, value, "an empty text names nothing")


def _check_segment(segment: object) -> None:
    if isinstance(segment, bool) or not isinstance(segment, int | str | None):
        raise BadSetting("segment", segment, "give a segment's number or its name")
    if segment == "" or (isinstance(segment, int) and segment < 0):
        raise BadSetting("segment", segment, "no segment has this name or number")


def _check_options(options: object) -> None:
    """Check the options of the client. No message has a value, because it may be a password."""
    if not isinstance(options, Mapping) or not all(isinstance(name, str) for name in options):
        fix = 'give a dictionary with texts as keys, such as {"security.protocol": "SSL"}'
        raise BadSetting("kafka_options", "not usable", fix)
    try:
        options_table(options)
    except ValueError as error:
        raise BadSetting("kafka_options", "not usable", str(error)) from None


def _one_of(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise BadSetting(name, printable(str(value)), f"give {', '.join(choices[:-1])} or {choices[-1]}")
