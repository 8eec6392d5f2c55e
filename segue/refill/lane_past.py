"""A lane's past: the log from its start, or the warehouse's facts and then the log from a bootstrap on."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from schemas import times
from schemas.errors import BadTopics, NeedsRebuild
from schemas.input_events import Event
from schemas.partitioner import partition_of
from segue.config.settings import Settings
from segue.connect.kafka_access import DEADLINE_S, patiently
from segue.connect.live_prefix import followed
from segue.connect.patient_log import PatientReader
from segue.connect.redis_users import RedisUsers
from streamer.batch.lane_config import LaneConfig
from streamer.batch.refusals import Refusals
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import Bounds, Committed, Reading
from streamer.kafka.kafka_admin import Admin
from streamer.refill.bootstrap_lanes import Fact, states_of
from streamer.refill.erasures import erased_before
from streamer.refill.refold import Refold
from streamer.refill.spill import Spill
from streamer.segment.active_model import BootstrapRecord
from streamer.user.fold_events import Refuse
from streamer.user.user_state import Facts, UserState

FactsAsOf = Callable[[str], Iterable[Fact]]
"""Gives the warehouse's facts before a time (RFC 3339), user by user."""
Erased = Iterable[tuple[str, datetime]]
"""Pairs of a user and the time of an erasure. It can be iterated again."""


@dataclass(frozen=True, slots=True)
class LaneLog:
    """One lane's partition of the inputs, `user-segments` and `segment-changes`, ready to be read.

    Attributes:
        lane: the number of the lane, which is the number of the partitions.
        reader: reads the partitions.
        committed: the group's offsets by input. They were read before the bounds. So all decisions about
            events before these offsets lie within the bounds.
        bounds: the first offset and the end of each partition, by topic.
    """

    lane: int
    reader: Reading
    committed: Mapping[str, Committed]
    bounds: Mapping[str, Bounds]


@contextmanager
def lane_log(settings: Settings, lane: int) -> Iterator[LaneLog]:
    """Open a lane's log for reading.

    Raises:
        Unreachable: Kafka does not answer.
        BadTopics: a topic does not exist, or its log cannot be read to its end.
    """
    with closing(PatientReader(settings, lane)) as reader, reporting_unreadable_log():
        yield _read_log_bounds(settings, lane, reader)


@contextmanager
def reporting_unreadable_log() -> Iterator[None]:
    """Turn an :class:`InDoubt` that interrupts the reading of a log into an error for the user.

    Raises:
        BadTopics: the log cannot be read to its end.
    """
    try:
        yield
    except InDoubt as doubt:
        raise BadTopics(f"the log cannot be read to its end ({doubt}): run the same command again") from None


def _read_log_bounds(settings: Settings, lane: int, reader: PatientReader) -> LaneLog:
    admin, topics = Admin(settings.kafka_client, DEADLINE_S), settings.topics
    committed = reader.committed(topics.inputs)
    # The inputs last: then they hold each erasure that the other topics record.
    bounds = {
        topic: patiently(settings, partial(_bounds, admin, topic, lane))
        for topic in (topics.users, topics.changes, *topics.inputs)
    }
    return LaneLog(lane, reader, committed, bounds)


def _bounds(admin: Admin, topic: str, lane: int) -> Bounds:
    return admin.bounds(topic, lane, admin.topic(topic).topic_id)


@contextmanager
def erasures_known(settings: Settings, bootstrap: BootstrapRecord | None) -> Iterator[Erased]:
    """Read the erasures that Redis knows; without a bootstrap give none, because the log holds them all.

    Enter this context before the log is opened: then the log holds each later erasure.

    Raises:
        Unreachable: Redis does not answer.
        NoRoom: the erasures fit neither into memory nor on the disk.
    """
    with closing(_KeptErasures()) as known:
        if bootstrap is not None:
            with RedisUsers(followed(settings)) as users:
                known.keep(users.erasures())
        yield known


class _KeptErasures:
    def __init__(self) -> None:
        self._spill = Spill()
        self._shelf = self._spill.shelf()

    def keep(self, erased: Erased) -> None:
        self._shelf.put((user_id, times.text(at).encode()) for user_id, at in erased)

    def __iter__(self) -> Iterator[tuple[str, datetime]]:
        for entries in self._shelf.batches():
            for user_id, at in entries:
                yield user_id, times.parse(at.decode())

    def close(self) -> None:
        self._spill.close()


def past_of(
    log: LaneLog,
    config: LaneConfig,
    bootstrap: BootstrapRecord | None,
    facts_as_of: FactsAsOf | None,
    *,
    decisions: bool,
    only: Container[str] | None = None,
    erased: Erased = (),
    progress: Callable[[int], None],
) -> Refold:
    """Open a lane's past at its beginning, to be folded again. The caller closes it.

    Args:
        log: the lane's log.
        config: the lane's settings.
        bootstrap: the bootstrap that is in force. The lane's log counts from its offsets on.
        facts_as_of: gives the warehouse's facts; None without a warehouse.
        decisions: whether to read the decisions in `user-segments`, too.
        only: fold only these users; None for all.
        erased: the erasures that Redis knows (:func:`erasures_known`). An erasure from before the bootstrap
            may be missing elsewhere: the log begins with the bootstrap, and compaction drops the null in
            `user-segments`.
        progress: called with the number of records read so far.

    Returns:
        The fold, before the first record of the log. After a bootstrap it holds the users of the warehouse.

    Raises:
        NeedsRebuild: a part of the past is missing.
        NoRoom: the users fit neither into memory nor on the disk.
    """
    topics = config.topics
    users = {topics.users: log.bounds[topics.users].begin} if decisions else {}
    begin = begin_of(log, config, bootstrap, facts_as_of)
    states: Iterable[UserState] = ()
    refusals = Refusals()

    def refuse(event: Event, error: Exception) -> None:
        if only is None or event.user_id in only:
            refusals.add(event, error)

    if bootstrap is not None and facts_as_of is not None:
        states = _warehouse_states(log, config, begin, facts_as_of(bootstrap.at), erased, refuse)
    return Refold(
        log.reader, config, {**begin, **users}, states, only=only, refusals=refusals, progress=progress
    )


def begin_of(
    log: LaneLog, config: LaneConfig, bootstrap: BootstrapRecord | None, facts_as_of: FactsAsOf | None
) -> dict[str, int]:
    """Return the offset at which a lane's past begins in the log, by input.

    Args:
        log: the lane's log.
        config: the lane's settings.
        bootstrap: the bootstrap that is in force; None if there is none.
        facts_as_of: gives the warehouse's facts; None without a warehouse.

    Raises:
        NeedsRebuild: the log begins later, or the users of the bootstrap need a warehouse.
    """
    begin = past_begins({topic: log.bounds[topic] for topic in config.topics.inputs}, log.lane, bootstrap)
    if bootstrap is not None and facts_as_of is None:
        raise NeedsRebuild(
            f"the users of the bootstrap as of {bootstrap.at} are not in the log: name the warehouse of that"
            " bootstrap (--warehouse)"
        )
    return begin


def past_begins(inputs: Mapping[str, Bounds], lane: int, bootstrap: BootstrapRecord | None) -> dict[str, int]:
    """Return where a lane's past begins in the log, by input: the bootstrap's offset, or 0 without one.

    Raises:
        NeedsRebuild: the log begins later: retention has deleted a part of the past.
    """
    since = {} if bootstrap is None else bootstrap.places.get(str(lane), {})
    for topic, bounds in inputs.items():
        if bounds.begin > since.get(topic, 0):
            raise NeedsRebuild(
                f"{topic} begins in partition {lane} at offset {bounds.begin}, but the states need it from"
                f" offset {since.get(topic, 0)} on: the events before cannot be folded again"
            )
    return {topic: since.get(topic, 0) for topic in inputs}


def _warehouse_states(
    log: LaneLog,
    config: LaneConfig,
    begin: Mapping[str, int],
    facts: Iterable[Fact],
    known: Erased,
    refuse: Refuse,
) -> Iterator[UserState]:
    """Give the states as a bootstrap makes them: a fact before a user's erasure does not count.

    The erasures are those before the offsets at which the log continues.
    """
    settings = config.settings

    def is_ours(user_id: str) -> bool:
        return partition_of(user_id, settings.partitions, settings.partitioner) == log.lane

    ours = ((user_id, at) for user_id, at in known if is_ours(user_id))
    with erased_before(log.reader, log.bounds, begin, ours, config) as erased:
        yield from states_of(
            (fact for fact in facts if is_ours(fact.user_id)),
            config.rules,
            refuse,
            lambda user_id: _empty_state(user_id, erased.pop(user_id)),
        )
        for user_id, at in erased:
            yield _empty_state(user_id, at)


def _empty_state(user_id: str, erased_at: datetime | None) -> UserState:
    return UserState(user_id, Facts(erased_at=erased_at))
