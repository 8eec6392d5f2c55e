"""Bootstrap: every user's state as of a time T, from the warehouse's facts, under a lane's own protocol.

A topic seldom holds a shop's whole past. The states come from the facts before T, the events from the
topic from T on (less a margin: what is read twice does no harm, since orders are known by id).

The order, so that a crash anywhere leaves either nothing that a worker would believe, or all:

1. fence    each lane's producer, and see that nobody uses the lane
2. announce the ``bootstrap`` record, so that nobody takes the log for the whole past
3. mark     each lane's place as unfinished: a worker refuses it, and another bootstrap may go on
4. fill     states, and in the lane's transactions the ``user-segments`` records
5. commit   the inputs' offsets at T, in the lane's last transaction
6. place    the lane's real place, in its last save
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from schemas.changes import Cause
from schemas.errors import SegueError
from schemas.events import Order, Signup
from schemas.partition import partition_of
from streamer import place as places
from streamer.healing import decided_in, read_between
from streamer.interfaces import Log, OutRecord, Store
from streamer.lane_config import LaneConfig
from streamer.model import ActiveModel
from streamer.outputs import change_records
from streamer.place import UNFINISHED, Place
from streamer.process import decide
from streamer.profile import fold
from streamer.state import Decided, UserState
from streamer.users import write_of

Fact = Signup | Order


class NotFresh(SegueError):
    """The group or the Redis prefix is in use, so a bootstrap would write over a worker's states."""

    exit_code = 9


class LaneEnds(Struct, frozen=True):
    """A lane's connections, and the inputs' offsets from which its log continues the snapshot."""

    log: Log
    store: Store
    start: dict[str, int]


class Filled(Struct, frozen=True):
    """What a bootstrap did: users written, and of them those whose segment record was new."""

    users: int
    records: int


def states_of(facts: Iterable[Fact], exclude_statuses: frozenset[str]) -> Iterator[UserState]:
    """Fold facts that come user by user into one state each."""
    for user_id, of_user in groupby(facts, key=lambda fact: fact.user_id):
        state = UserState(user_id)
        for fact in of_user:
            state = fold(state, fact, exclude_statuses)
        yield state


def bootstrap(
    lanes: Mapping[int, LaneEnds],
    facts: Iterable[Fact],
    as_of: datetime,
    model: ActiveModel,
    config: LaneConfig,
    *,
    clock: Callable[[], datetime],
    writer: str,
    announce: Callable[[], None],
    progress: Callable[[int], None],
) -> Filled:
    """Fill every lane.

    Args:
        lanes: by partition number, all of them.
        facts: those before ``as_of``, user by user.
        writer: a name that no other takeover has.
        announce: writes the ``bootstrap`` record.
        progress: told how many users have been read so far.

    Raises:
        NotFresh: a lane has a place or committed offsets that no unfinished bootstrap left.
    """
    fillers = {p: _Filler(p, ends, as_of, model, config, clock, writer) for p, ends in lanes.items()}
    for filler in fillers.values():
        filler.begin()
    announce()
    for filler in fillers.values():
        filler.mark()
    users = 0
    for state in states_of(facts, config.rules.exclude_statuses):
        partition = partition_of(state.user_id, config.settings.partitions, config.settings.partitioner)
        fillers[partition].add(state)
        users += 1
        progress(users)
    for filler in fillers.values():
        filler.finish()
    return Filled(users, sum(filler.records for filler in fillers.values()))


class _Filler:
    """One lane's share of a bootstrap."""

    def __init__(
        self,
        partition: int,
        ends: LaneEnds,
        as_of: datetime,
        model: ActiveModel,
        config: LaneConfig,
        clock: Callable[[], datetime],
        writer: str,
    ) -> None:
        self._partition = partition
        self._ends = ends
        self._as_of = as_of
        self._model = model
        self._config = config
        self._clock = clock
        self._writer = writer
        self._pending: list[UserState] = []
        self._newest: dict[str, Decided | None] = {}
        self._users_position = 0
        self._held: bytes | None = None
        self.records = 0

    def begin(self) -> None:
        log, store = self._ends.log, self._ends.store
        log.fence()
        held = store.place()
        if held not in (None, UNFINISHED):
            raise NotFresh(
                f"lane {self._partition} has a place in Redis already: bootstrap fills a fresh prefix;"
                " set another redis_prefix and another group"
            )
        if log.committed() and held is None:
            raise NotFresh(
                f"the group has committed offsets in lane {self._partition} already: bootstrap starts a"
                " group; set another group"
            )
        self._held = held
        topic = self._config.topics.users
        bounds = log.bounds(topic)
        self._users_position = bounds.end
        for records in read_between(log, {topic: bounds.begin}, {topic: bounds.end}, 1_000):
            for record in records:
                if record.key is not None:
                    self._newest[record.key.decode()] = decided_in(record)

    def mark(self) -> None:
        if not self._ends.store.save(self._held, UNFINISHED, []):
            raise NotFresh(f"somebody else writes to lane {self._partition}: stop the workers first")

    def add(self, state: UserState) -> None:
        self._pending.append(state)
        if len(self._pending) >= self._config.max_batch:
            self._flush({})

    def finish(self) -> None:
        topics, log = self._config.topics, self._ends.log
        bounds = {topic: log.bounds(topic) for topic in (*topics.inputs, topics.users)}
        self._flush(self._ends.start)
        place = Place(
            step=1,
            writer=self._writer,
            positions={**self._ends.start, topics.users: self._users_position},
            topic_ids={topic: bound.topic_id for topic, bound in bounds.items()},
            settings=self._config.settings,
        )
        self._save([], places.encode(place))

    def _flush(self, positions: Mapping[str, int]) -> None:
        decided = [self._decide(state) for state in self._pending]
        out = [record for _, records in decided for record in records]
        if out or positions:
            written = self._ends.log.commit(out, positions)
            self._users_position = written.get(self._config.topics.users, self._users_position)
        self._save([state for state, _ in decided], UNFINISHED)
        self.records += len(out)
        self._pending.clear()

    def _decide(self, state: UserState) -> tuple[UserState, list[OutRecord]]:
        """Score a user; one whose newest record says the same already gets no other."""
        newest = self._newest.get(state.user_id)
        cause = Cause(type="bootstrap", positions=self._ends.start)
        step = decide(
            replace(state, decided=newest), cause, self._as_of, self._model, self._config.rules, self._clock()
        )
        records = [
            change_records(change, self._config.topics, self._partition, self._model.topic_id)[1]
            for change in step.changes
        ]
        return step.state, records

    def _save(self, states: list[UserState], place: bytes) -> None:
        spaces = [self._model.release.space]
        writes = [write_of(None, state, spaces, index_all=True) for state in states]
        if not self._ends.store.save(UNFINISHED, place, writes):
            raise NotFresh(f"somebody else wrote to lane {self._partition} meanwhile: stop the workers first")
