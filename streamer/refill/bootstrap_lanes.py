"""Bootstrap: every user's state as of a time T, from the warehouse's facts, under a lane's own protocol.

A topic seldom holds a shop's whole past. The states come from the facts before T, the events from the
topic from T on (less a margin: what is read twice does no harm, since orders are known by id). What
``user-segments`` says of a user goes on: its decision, its sequence, and its erasure, up to which no fact
counts.

The order, so that a crash anywhere leaves either nothing, or what a worker refuses and another run of the
same bootstrap ends:

1. fence    each lane's producer, and see that nobody uses the lane
2. mark     each lane's place as unfinished: a worker refuses it, and so does a bootstrap that came before
3. announce the ``bootstrap`` record, so that nobody takes the log for the whole past
4. clear    what an unfinished run left, which may be of other facts
5. recall   what ``user-segments`` says of each lane's users
6. fill     states, and in the lane's transactions the ``user-segments`` records
7. commit   the inputs' offsets at T, in each lane's last transaction
8. count    the users that are there: a Redis that restarts meanwhile may have lost some
9. place    each lane's real place, in its last save; and see that all places stand
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from schemas.errors import SegueError, Unreachable
from schemas.input_events import Order, Signup
from schemas.outputs.segment_change import Cause
from schemas.partitioner import partition_of
from streamer.batch.change_records import change_records
from streamer.batch.decided_records import adopted, erased_at_in
from streamer.batch.lane_config import LaneConfig
from streamer.batch.refusals import Refusals
from streamer.interfaces.lane_errors import Fenced, InDoubt
from streamer.interfaces.lane_interfaces import Log, OutRecord, Record, Store
from streamer.refill.kept_states import KeptStates
from streamer.refill.numbered_saves import Filler, finish
from streamer.segment.active_model import ActiveModel
from streamer.segment.decide_event import decide
from streamer.takeover.read_stretch import by_user, read_whole
from streamer.user.fold_events import Refuse, fold_all
from streamer.user.order_rules import Rules, check_statuses
from streamer.user.user_state import Facts, UserState

Fact = Signup | Order

# What begins the name of every bootstrap's writer; a worker's is a number in hex.
WRITER = "bootstrap "


class NotFresh(SegueError):
    """The group or the Redis prefix is in use, so a bootstrap would write over a worker's states."""

    exit_code = 9


class LaneEnds(Struct, frozen=True):
    """A lane's connections, and the inputs' offsets from which its log continues the snapshot."""

    log: Log
    store: Store
    start: dict[str, int]


class Filled(Struct, frozen=True):
    """What a bootstrap did: users read, of them those whose segment record was new, and the facts that were refused."""

    users: int
    records: int
    refusals: Refusals


def states_of(
    facts: Iterable[Fact], rules: Rules, refuse: Refuse, begin: Callable[[str], UserState] = UserState
) -> Iterator[UserState]:
    """Fold facts that come user by user into one state each.

    Args:
        refuse: told of each fact that cannot be applied, and why.
        begin: gives a user's state before them.
    """
    for user_id, of_user in groupby(facts, key=lambda fact: fact.user_id):
        yield fold_all(begin(user_id), of_user, rules, refuse)


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
        writer: a name that no other takeover has; it begins with :data:`WRITER`.
        announce: writes the ``bootstrap`` record.
        progress: told how many users have been read so far.

    Raises:
        BadSetting: the release was trained with other ``exclude_statuses``; nothing is written then.
        NotFresh: a lane has a place or committed offsets that no unfinished bootstrap left, or somebody
            was started meanwhile.
        Unreachable: Kafka or Redis does not answer, Kafka did not confirm a transaction, or Redis has lost what was
            written.
        NoRoom: what ``user-segments`` says fits neither into memory nor on the disk.
    """
    check_statuses(model.release, config.rules)
    fillers = {p: _Filler(p, ends, as_of, model, config, clock, writer) for p, ends in lanes.items()}
    try:
        with closing(KeptStates()) as recalled:
            return _fill(fillers, facts, config, recalled, announce, progress)
    except Fenced as reason:
        raise NotFresh(
            f"a worker or another bootstrap was started meanwhile: stop it, then run the same bootstrap again"
            f" ({reason})"
        ) from None
    except InDoubt as reason:
        raise Unreachable(
            f"Kafka did not confirm every step ({reason}): run the same bootstrap again"
        ) from None


def _fill(
    fillers: "Mapping[int, _Filler]",
    facts: Iterable[Fact],
    config: LaneConfig,
    recalled: KeptStates,
    announce: Callable[[], None],
    progress: Callable[[int], None],
) -> Filled:
    """The steps of this module's docstring; each is done for all lanes before the next begins."""
    lanes = list(fillers.values())
    for lane in lanes:
        lane.fence()
    again = any(lane.unfinished for lane in lanes)
    for lane in lanes:
        lane.check(again=again)
    for lane in lanes:
        lane.begin()
    announce()
    if again:
        lanes[0].clear()
    for lane in lanes:
        lane.recall(recalled)

    def add(state: UserState) -> None:
        lane = partition_of(state.user_id, config.settings.partitions, config.settings.partitioner)
        fillers[lane].add(state)

    users, refusals = 0, Refusals()
    for state in states_of(facts, config.rules, refusals.add, recalled.pop):
        add(state)
        users += 1
        progress(users)
    for state in recalled:  # of whom only a record tells
        add(state)
    for lane in lanes:
        lane.commit()
    finish(lanes)
    return Filled(users, sum(lane.records for lane in lanes), refusals)


class _Filler(Filler):
    """A bootstrap's share of one lane."""

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
        overtaken = NotFresh(f"somebody else wrote to lane {partition} meanwhile: stop the workers first")
        super().__init__(partition, ends.store, model, config, "bootstrap", writer, overtaken)
        self._ends = ends
        self._as_of = as_of
        self._clock = clock
        self._pending: list[UserState] = []
        self._users_position = 0
        self.records = 0

    def fence(self) -> None:
        """Start the lane's producer, and look at the lane."""
        self._ends.log.fence()
        self.look()

    def check(self, *, again: bool) -> None:
        """See that nobody uses the lane; ``again``: a bootstrap left some lane unfinished."""
        held = self._held
        committed = {topic: at.offset for topic, at in self._ends.log.committed().items()}
        if held is None and committed:
            raise NotFresh(
                f"the group has committed offsets in lane {self._lane} already: bootstrap starts a"
                " group; set another group"
            )
        if held is None:
            return
        if self.unfinished:
            if committed and committed != self._ends.start:
                raise NotFresh(
                    f"the group's offsets in lane {self._lane} are not those of this bootstrap, which would set"
                    " them back: run it again with the same --as-of and --margin; where workers went on since,"
                    " and Redis lost that, run `segue rebuild` into another prefix"
                )
            return
        place = self.former if again else None
        if place is None:
            raise NotFresh(
                f"lane {self._lane} has a place in Redis already: bootstrap fills a fresh prefix;"
                " set another redis_prefix and another group"
            )
        if {topic: place.positions.get(topic) for topic in self._config.topics.inputs} != self._ends.start:
            raise NotFresh(
                f"lane {self._lane} was filled by a bootstrap that did not end, from other offsets: run it"
                " again with the same --as-of and --margin, or set another redis_prefix and another group"
            )

    def recall(self, recalled: KeptStates) -> None:
        """Read what ``user-segments`` says of the lane's users."""
        topic, log = self._config.topics.users, self._ends.log
        bounds = log.watch(topic)
        self._users_position = bounds.end
        for records in read_whole(log, topic, bounds, self._config.max_batch):
            for user_id, record in by_user(records):
                recalled.put(_told(recalled.get(user_id), record))

    def add(self, state: UserState) -> None:
        self._pending.append(state)
        if len(self._pending) >= self._config.max_batch:
            self._flush({})

    def commit(self) -> None:
        """Write what is left, and the inputs' offsets."""
        topics, log = self._config.topics, self._ends.log
        topic_ids = {topic: log.watch(topic).topic_id for topic in (*topics.inputs, topics.users)}
        self._flush(self._ends.start)
        self.end_at({**self._ends.start, topics.users: self._users_position}, topic_ids)

    def _flush(self, positions: Mapping[str, int]) -> None:
        decided = [self._decide(state) for state in self._pending]
        out = [record for _, records in decided for record in records]
        if out or positions:
            written = self._ends.log.commit(out, positions)
            self._users_position = written.get(self._config.topics.users, self._users_position)
        self.write((state, False) for state, _ in decided)
        self.records += len(out)
        self._pending.clear()

    def _decide(self, state: UserState) -> tuple[UserState, list[OutRecord]]:
        """Score a user; one whose newest record says the same already gets no other."""
        cause = Cause(type="bootstrap", positions=self._ends.start)
        step = decide(state, cause, self._as_of, self._model, self._config.rules, self._clock())
        of_models, erased_at = self._model.topic_id, state.facts.erased_at
        records = [
            change_records(change, self._config.topics, self._lane, of_models, erased_at)[1]
            for change in step.changes
        ]
        return step.state, records


def _told(before: UserState, record: Record) -> UserState:
    """A user without facts, as its records say up to this one: the newest decision, the history, the last erasure."""
    erasures = [before.facts.erased_at, erased_at_in(record)]
    erased_at = max((at for at in erasures if at is not None), default=None)
    return replace(adopted(before, record), facts=Facts(erased_at=erased_at))
