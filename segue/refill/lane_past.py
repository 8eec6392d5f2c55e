"""Where a lane's past begins: at the log's start, or at what a bootstrap took from the warehouse."""

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
"""Users, each with an erasure; as often as it is asked for."""


@dataclass(frozen=True, slots=True)
class LaneLog:
    """One lane's partition of the inputs, `user-segments` and `segment-changes`, to be read.

    ``committed`` are the group's offsets, asked for before the bounds: whatever was decided up to them lies
    within these.
    """

    lane: int
    reader: Reading
    committed: Mapping[str, Committed]
    bounds: Mapping[str, Bounds]


@contextmanager
def lane_log(settings: Settings, lane: int) -> Iterator[LaneLog]:
    """A lane's log while it is read; one that does not go on meanwhile is told in a sentence.

    Raises:
        Unreachable: Kafka does not answer.
        BadTopics: a topic is not there, or its log cannot be read to its end.
    """
    with closing(PatientReader(settings, lane)) as reader, told_in_a_sentence():
        yield _opened(settings, lane, reader)


@contextmanager
def told_in_a_sentence() -> Iterator[None]:
    """A log that does not go on while it is read.

    Raises:
        BadTopics: it cannot be read to its end.
    """
    try:
        yield
    except InDoubt as doubt:
        raise BadTopics(f"the log cannot be read to its end ({doubt}): run the same again") from None


def _opened(settings: Settings, lane: int, reader: PatientReader) -> LaneLog:
    admin, topics = Admin(settings.kafka_client, DEADLINE_S), settings.topics
    committed = reader.committed(topics.inputs)
    bounds = {
        topic: patiently(settings, partial(_bounds, admin, topic, lane))
        for topic in (*topics.inputs, topics.users, topics.changes)
    }
    return LaneLog(lane, reader, committed, bounds)


def _bounds(admin: Admin, topic: str, lane: int) -> Bounds:
    return admin.bounds(topic, lane, admin.topic(topic).topic_id)


@contextmanager
def erasures_known(settings: Settings, bootstrap: BootstrapRecord | None) -> Iterator[Erased]:
    """The erasures that Redis knows; none without a bootstrap, since the log tells them all.

    Enter it before the log is opened: an erasure that comes later lies in the log.

    Raises:
        Unreachable: Redis does not answer.
        NoRoom: they fit neither into memory nor on the disk.
    """
    with closing(_Known()) as known:
        if bootstrap is not None:
            with RedisUsers(followed(settings)) as users:
                known.keep(users.erasures())
        yield known


class _Known:
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
    """A lane as its past begins; to be closed.

    Args:
        bootstrap: the one that stands, so that the log begins with it.
        facts_as_of: the warehouse's facts, where there is a warehouse to ask.
        decisions: whether to read what was decided, too.
        only: these users; None for all.
        erased: erasures that Redis knows (:func:`erasures_known`). Of one from before the bootstrap neither the
            log, which begins with it, nor `user-segments` need tell: compaction drops a null.

    Raises:
        NeedsRebuild: what came before cannot be had.
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
        states = _of_warehouse(log, config, begin, facts_as_of(bootstrap.at), erased, refuse)
    return Refold(
        log.reader, config, {**begin, **users}, states, only=only, refusals=refusals, progress=progress
    )


def begin_of(
    log: LaneLog, config: LaneConfig, bootstrap: BootstrapRecord | None, facts_as_of: FactsAsOf | None
) -> dict[str, int]:
    """By input, the offset from which a lane's log continues what came before.

    Raises:
        NeedsRebuild: what came before cannot be had.
    """
    begin = past_begins({topic: log.bounds[topic] for topic in config.topics.inputs}, log.lane, bootstrap)
    if bootstrap is not None and facts_as_of is None:
        raise NeedsRebuild(
            f"the users of the bootstrap as of {bootstrap.at} are not in the log: name the warehouse that they"
            " came from (--warehouse)"
        )
    return begin


def past_begins(inputs: Mapping[str, Bounds], lane: int, bootstrap: BootstrapRecord | None) -> dict[str, int]:
    """By input, the offset from which the log continues what came before; without a bootstrap that is nothing.

    Raises:
        NeedsRebuild: the log begins later.
    """
    since = {} if bootstrap is None else bootstrap.places.get(str(lane), {})
    for topic, bounds in inputs.items():
        if bounds.begin > since.get(topic, 0):
            raise NeedsRebuild(
                f"{topic} begins in partition {lane} at offset {bounds.begin}, and the states need it from"
                f" {since.get(topic, 0)} on: what came before cannot be folded again"
            )
    return {topic: since.get(topic, 0) for topic in inputs}


def _of_warehouse(
    log: LaneLog,
    config: LaneConfig,
    begin: Mapping[str, int],
    facts: Iterable[Fact],
    known: Erased,
    refuse: Refuse,
) -> Iterator[UserState]:
    """The states as a bootstrap makes them: no fact counts up to an erasure that came before the log goes on."""
    settings = config.settings

    def is_ours(user_id: str) -> bool:
        return partition_of(user_id, settings.partitions, settings.partitioner) == log.lane

    ours = ((user_id, at) for user_id, at in known if is_ours(user_id))
    with erased_before(log.reader, log.bounds, begin, ours, config) as erased:
        yield from states_of(
            (fact for fact in facts if is_ours(fact.user_id)),
            config.rules,
            refuse,
            lambda user_id: _begun(user_id, erased.pop(user_id)),
        )
        for user_id, at in erased:
            yield _begun(user_id, at)


def _begun(user_id: str, erased_at: datetime | None) -> UserState:
    return UserState(user_id, Facts(erased_at=erased_at))
