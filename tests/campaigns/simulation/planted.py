"""Lanes with one planted fault each; the simulation must find every fault.

The product's files stay unchanged: a fault is between the lane and its log or store, in a subclass, or in a
function that is replaced while the seed runs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from schemas.outputs.segment_change import Change
from schemas.topics import Topics
from streamer.batch import batch_users
from streamer.batch.batch_users import Users
from streamer.batch.read_batch import Batch, Incoming, read_batch
from streamer.in_memory import MemoryRedis
from streamer.interfaces.lane_interfaces import Committed, OutRecord, Record, Store, UserWrite
from streamer.lane import lane as lanes
from streamer.lane import release_switch, run_takeover
from streamer.lane.lane import Lane
from streamer.lane.lane_saves import LaneSaves
from streamer.lane.redecide_users import Redecisions
from streamer.lane.release_switch import Switch, Turn
from streamer.lane.run_takeover import Takeover
from streamer.place import place as places
from streamer.place.place import Place
from streamer.segment import lane_day
from streamer.segment.due_day import due_day
from streamer.segment.scoring import Scorer
from streamer.takeover import healing
from streamer.takeover.lane_snapshot import LaneSnapshot
from streamer.takeover.starting_point import Start, starting_point
from tests.campaigns.simulation import aof
from tests.campaigns.simulation.planted_commands import COMMANDS

Planted = tuple[type[Lane], Callable[[Any, Any], tuple[Any, Any]]]

TOPICS = Topics(rekey=True)


class _Around:
    """A wrapper that passes on every call."""

    def __init__(self, end: Any) -> None:
        self._end = end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._end, name)


class _CommitsLater(_Around):
    held: Callable[[], object] | None = None

    def commit(self, records: Sequence[OutRecord], positions: Mapping[str, int]) -> dict[str, int]:
        self.held = lambda: self._end.commit(records, positions)
        written = [record.topic for record in records if record.partition is not None]
        return {topic: self._end.watch(topic).end + written.count(topic) for topic in written}


class _SavesFirst(_Around):
    def __init__(self, end: Any, log: _CommitsLater) -> None:
        super().__init__(end)
        self._log = log

    def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
        saved: bool = self._end.save(expected, place, writes)
        held, self._log.held = self._log.held, None
        if saved and held is not None:
            held()
        return saved


class _SavesInTwo(_Around):
    def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
        if expected is not None and writes and not self._end.save(expected, expected, writes):
            return False
        saved: bool = self._end.save(expected, place, writes if expected is None else [])
        return saved


class _Alone(_Around):
    def places(self, _partitions: Sequence[int]) -> list[bytes]:
        return []


class _OffsetsFirst(_Around):
    """A log that always returns the committed offsets from before the fence."""

    def fence(self) -> None:
        self._early = self._end.committed()
        self._end.fence()

    def committed(self) -> dict[str, Committed]:
        return dict(self._early)


class _KnowsWhatItRead(_Around):
    def __init__(self, end: Any) -> None:
        super().__init__(end)
        self.read: dict[str, int] = {}

    def poll(self, max_records: int, timeout_s: float) -> list[Record]:
        records: list[Record] = self._end.poll(max_records, timeout_s)
        self.read |= {record.topic: record.offset + 1 for record in records if record.topic in TOPICS.inputs}
        return records


class _GoesOnReading(Lane):
    """A lane that after a doubtful commit reads on, and does not read its dropped records again."""

    def take_over(self, writer: str) -> None:
        assert isinstance(self._log, _KnowsWhatItRead)
        read = dict(self._log.read)
        super().take_over(writer)
        self._log.read_from(
            {topic: max(offset, read.get(topic, 0)) for topic, offset in self.positions.items()}
        )


class _AsksForEachEvent(Lane):
    """A lane that asks for the newest model at each event."""

    def _decide(
        self, batch: Batch, users: Users, turn: Turn
    ) -> tuple[Batch, list[Change], tuple[Incoming, ...]]:
        changes: list[Change] = []
        for incoming in batch.events:
            changes += super()._decide(replace(batch, events=[incoming]), users, self._turn())[1]
        return batch, changes, ()


def _as_it_is(log: Any, store: Any) -> tuple[Any, Any]:
    return log, store


def _saving_first(log: Any, store: Any) -> tuple[Any, Any]:
    later = _CommitsLater(log)
    return later, _SavesFirst(store, later)


@contextmanager
def nothing() -> Iterator[Planted]:
    yield Lane, _as_it_is


@contextmanager
def save_before_commit() -> Iterator[Planted]:
    yield Lane, _saving_first


@contextmanager
def place_apart_from_states() -> Iterator[Planted]:
    yield Lane, lambda log, store: (log, _SavesInTwo(store))


@contextmanager
def offsets_before_fence() -> Iterator[Planted]:
    yield Lane, lambda log, store: (_OffsetsFirst(log), store)


@contextmanager
def deciding_while_healing() -> Iterator[Planted]:
    right = starting_point

    def wrong(*args: Any, **options: Any) -> Start:
        start = right(*args, **options)
        return replace(start, decide_from=start.fold_from)

    with patch.object(run_takeover, "starting_point", wrong):
        yield Lane, _as_it_is


@contextmanager
def without_the_dropped_records() -> Iterator[Planted]:
    yield _GoesOnReading, lambda log, store: (_KnowsWhatItRead(log), store)


@contextmanager
def a_model_for_each_event() -> Iterator[Planted]:
    yield _AsksForEachEvent, _as_it_is


@contextmanager
def without_waiting_for_a_later_activation() -> Iterator[Planted]:
    with patch.object(Switch, "_expect_read", lambda *_: None):
        yield Lane, _as_it_is


@contextmanager
def a_sweep_of_one_batch() -> Iterator[Planted]:
    """Let a lane consider a sweep done after its first batch."""
    right = Redecisions._decide

    def wrong(lane: Redecisions, *args: Any, **_: Any) -> list[Change]:
        return right(lane, *args, last=True)

    with patch.object(Redecisions, "_decide", wrong):
        yield Lane, _as_it_is


@contextmanager
def an_index_that_is_not_whole() -> Iterator[Planted]:
    """Let a lane note an index as soon as it begins to fill the index."""

    def wrong(place: Place, space: str) -> bool:
        return space in (place.sweep.space, *place.sweep.filling)

    with patch.object(release_switch, "has_index", wrong), patch.object(places, "has_index", wrong):
        yield Lane, _as_it_is


@contextmanager
def without_asking_the_other_lanes() -> Iterator[Planted]:
    yield Lane, lambda log, store: (log, _Alone(store))


@contextmanager
def without_the_margin() -> Iterator[Planted]:
    right = Scorer.score
    with patch.object(Scorer, "score", lambda scorer, features, *_: right(scorer, features)):
        yield Lane, _as_it_is


@contextmanager
def without_handing_over() -> Iterator[Planted]:
    def wrong(*args: Any) -> Batch:
        return replace(read_batch(*args), rekeyed=[])

    with patch.object(lanes, "read_batch", wrong):
        yield Lane, _as_it_is


@contextmanager
def believing_half_of_a_save() -> Iterator[Planted]:
    with patch.object(aof, "torn", lambda *_: set()):
        yield Lane, _as_it_is


@contextmanager
def saving_over_deleted_keys() -> Iterator[Planted]:
    with patch.object(MemoryRedis, "has_keys_of", lambda *_: True):
        yield Lane, _as_it_is


@contextmanager
def folding_onto_what_is_left() -> Iterator[Planted]:
    emptied = healing.emptied

    def where_it_is_torn(store: Store, snapshot: LaneSnapshot, *rest: Any) -> bytes | None:
        is_torn = snapshot.stored is not None or snapshot.torn is not None
        return emptied(store, snapshot, *rest) if is_torn else None

    with patch.object(healing, "emptied", where_it_is_torn):
        yield Lane, _as_it_is


@contextmanager
def taking_a_deleted_user_for_a_new_one() -> Iterator[Planted]:
    with patch.object(batch_users, "mark_in", lambda _: "a mark"):
        yield Lane, _as_it_is


@contextmanager
def without_counting_the_lanes_users() -> Iterator[Planted]:
    with patch.object(LaneSaves, "expect_listed", lambda *_: None):
        yield Lane, _as_it_is


@contextmanager
def user_segments_only_when_behind() -> Iterator[Planted]:
    right = healing.adopt

    def wrong(log: Any, store: Any, start: Start, *rest: Any) -> None:
        if start.fold_from != start.decide_from:
            right(log, store, start, *rest)

    with patch.object(healing, "adopt", wrong):
        yield Lane, _as_it_is


@contextmanager
def a_day_that_follows_the_clock_back() -> Iterator[Planted]:
    with patch.object(lanes, "latest", lambda days: days[-1]):
        yield Lane, _as_it_is


@contextmanager
def without_the_days_in_kafka() -> Iterator[Planted]:
    """Let a takeover find the lane's day in the place alone."""
    right = Takeover._day

    def wrong(takeover: Takeover, snapshot: LaneSnapshot) -> date | None:
        return right(takeover, replace(snapshot, committed={}))

    with patch.object(Takeover, "_day", wrong), patch.object(healing, "day_in", lambda _: None):
        yield Lane, _as_it_is


@contextmanager
def due_a_day_too_late() -> Iterator[Planted]:
    def wrong(*args: Any) -> date | None:
        due = due_day(*args)
        return None if due is None else due + timedelta(days=1)

    with patch.object(lane_day, "due_day", wrong):
        yield Lane, _as_it_is


@contextmanager
def healing_that_leaves_a_user_to_tomorrow() -> Iterator[Planted]:
    right = batch_users._due
    with patch.object(batch_users, "_due", lambda state, day, **_: right(state, day, due=False)):
        yield Lane, _as_it_is


@contextmanager
def a_day_of_one_batch() -> Iterator[Planted]:
    """Let a lane consider a day done after the first batch of those who are due."""
    right = Redecisions._decide_due

    def wrong(lane: Redecisions, turn: Turn, day: date) -> int:
        decided = right(lane, turn, day)
        lane._day_done = day
        return decided

    with patch.object(Redecisions, "_decide_due", wrong):
        yield Lane, _as_it_is


def _in_a_command(
    plant: Callable[[], AbstractContextManager[None]],
) -> Callable[[], AbstractContextManager[Planted]]:
    @contextmanager
    def planted() -> Iterator[Planted]:
        with plant():
            yield Lane, _as_it_is

    planted.__name__ = plant.__name__
    return planted


PLANTS: dict[str, Callable[[], AbstractContextManager[Planted]]] = {
    plant.__name__.replace("_", "-"): plant
    for plant in (
        nothing,
        save_before_commit,
        place_apart_from_states,
        offsets_before_fence,
        deciding_while_healing,
        without_the_dropped_records,
        user_segments_only_when_behind,
        a_model_for_each_event,
        without_waiting_for_a_later_activation,
        a_sweep_of_one_batch,
        an_index_that_is_not_whole,
        without_asking_the_other_lanes,
        without_the_margin,
        without_handing_over,
        believing_half_of_a_save,
        saving_over_deleted_keys,
        folding_onto_what_is_left,
        taking_a_deleted_user_for_a_new_one,
        without_counting_the_lanes_users,
        a_day_that_follows_the_clock_back,
        without_the_days_in_kafka,
        due_a_day_too_late,
        healing_that_leaves_a_user_to_tomorrow,
        a_day_of_one_batch,
        *map(_in_a_command, COMMANDS),
    )
}
