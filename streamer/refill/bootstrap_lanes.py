"""Bootstrap: every user's state as of a time T, from the warehouse's facts, with the protocol of a lane.

A topic seldom holds a shop's whole past. So the states come from the warehouse's facts before T, and the
events come from the topic from T on. The topic is read from a margin before T; an event that is read twice
does no harm, because orders are known by id. A user who has a record in ``user-segments`` keeps its decision,
its sequence and its erasure. No fact up to the erasure counts.

The order of the steps. A crash leaves either nothing, or a state that a worker refuses; then another run of
the same bootstrap completes it:

1. fence    each lane's producer, and check that no worker uses the lane
2. mark     each lane's place as unfinished: a worker refuses it, and so does an earlier bootstrap
3. announce the ``bootstrap`` record, which shows that the log is not the whole past
4. clear    the users of an unfinished run, which may come from other facts
5. recall   the decisions in ``user-segments`` for each lane's users
6. fill     the states and, in the lane's transactions, the ``user-segments`` records
7. commit   the inputs' offsets at T, in each lane's last transaction
8. count    the users in Redis: a Redis that restarts meanwhile may have lost some
9. place    write each lane's real place, in its last save, and check that all places are there
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
from streamer.batch.decided_records import adopted, day_in, erased_at_in
from streamer.batch.lane_config import LaneConfig
from streamer.batch.refusals import Refusals
from streamer.interfaces.lane_errors import Fenced, InDoubt
from streamer.interfaces.lane_interfaces import Log, OutRecord, Record, Store
from streamer.refill.kept_states import KeptStates
from streamer.refill.numbered_saves import Filler, finish
from streamer.segment.active_model import ActiveModel
from streamer.segment.decide_event import decide
from streamer.segment.lane_day import date_of, latest, stored_day
from streamer.takeover.read_stretch import by_user, read_whole
from streamer.user.fold_events import Refuse, fold_all
from streamer.user.order_rules import Rules, check_statuses
from streamer.user.user_state import Facts, UserState

Fact = Signup | Order

# Every bootstrap's writer name begins with this; a worker's writer name is a number in hex.
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
    """The result of a bootstrap: users read, new records of ``user-segments``, and refused facts."""

    users: int
    records: int
    refusals: Refusals


def states_of(
    facts: Iterable[Fact], rules: Rules, refuse: Refuse, begin: Callable[[str], UserState] = UserState
) -> Iterator[UserState]:
    """One state for each user, folded from facts that come user by user.

    Args:
        facts: the facts, all facts of one user in a row.
        rules: the settings of the fold.
        refuse: called with each fact that cannot be applied, and the reason.
        begin: gives a user's state before these facts.
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
        lanes: all lanes, by partition number.
        facts: the facts before ``as_of``, all facts of one user in a row.
        as_of: the time T of the states.
        model: the release that decides.
        config: the settings of the lanes.
        clock: gives the present time in UTC, for ``emitted_at``.
        writer: a name that no other takeover has; it begins with :data:`WRITER`.
        announce: writes the ``bootstrap`` record.
        progress: called with the number of users read so far.

    Returns:
        The counts of users and records, and the refused facts.

    Raises:
        BadSetting: the release was trained with other ``exclude_statuses``; nothing was written.
        NotFresh: a lane has a place or committed offsets that do not come from an unfinished bootstrap, or a
            worker or another bootstrap was started meanwhile.
        Unreachable: Kafka or Redis does not answer, Kafka did not confirm a transaction, or Redis has lost
            writes.
        NoRoom: the decisions in ``user-segments`` fit neither into memory nor on the disk.
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
    """Do the steps of this module's docstring, each for all lanes before the next step."""
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
    for state in recalled:  # users without facts, known only from `user-segments`
        add(state)
    for lane in lanes:
        lane.commit()
    finish(lanes)
    return Filled(users, sum(lane.records for lane in lanes), refusals)


class _Filler(Filler):
    """The part of a bootstrap for one lane."""

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
        overtaken = NotFresh(f"another program wrote to lane {partition} meanwhile: stop the workers first")
        super().__init__(partition, ends.store, model, config, "bootstrap", writer, overtaken)
        self._ends = ends
        self._as_of = as_of
        self._clock = clock
        self._pending: list[UserState] = []
        self.day = date_of(config.rules, as_of)
        self._users_position = 0
        self.records = 0

    def fence(self) -> None:
        """Start the lane's producer, and read the lane's place."""
        self._ends.log.fence()
        self.look()

    def check(self, *, again: bool) -> None:
        """Check that no worker uses the lane; ``again``: an earlier bootstrap left some lane unfinished."""
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
                    f"the group's offsets in lane {self._lane} are not those of this bootstrap, which would"
                    " set them back: run it again with the same --as-of and --margin; if workers ran since"
                    " then and Redis lost their writes, run `segue rebuild` into another prefix"
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
        """Read the decisions in ``user-segments`` for the lane's users, and find the lane's day.

        The lane's day is the date of the snapshot, or that of a later decision.
        """
        topic, log = self._config.topics.users, self._ends.log
        bounds = log.watch(topic)
        self._users_position = bounds.end
        for records in read_whole(log, topic, bounds, self._config.max_batch):
            for user_id, record in by_user(records):
                if self.day is not None:
                    self.day = latest([self.day, day_in(record)])
                recalled.put(_recalled(recalled.get(user_id), record))

    def add(self, state: UserState) -> None:
        self._pending.append(state)
        if len(self._pending) >= self._config.max_batch:
            self._flush({})

    def commit(self) -> None:
        """Write the remaining users, and the inputs' offsets."""
        topics, log = self._config.topics, self._ends.log
        topic_ids = {topic: log.watch(topic).topic_id for topic in (*topics.inputs, topics.users)}
        self._flush(self._ends.start)
        self.end_at({**self._ends.start, topics.users: self._users_position}, topic_ids)

    def _flush(self, positions: Mapping[str, int]) -> None:
        decided = [self._decide(state) for state in self._pending]
        out = [record for _, records in decided for record in records]
        if out or positions:
            if self.day is not None:
                self._ends.log.note_day(self.day)
            written = self._ends.log.commit(out, positions)
            self._users_position = written.get(self._config.topics.users, self._users_position)
        self.write((state, False) for state, _ in decided)
        self.records += len(out)
        self._pending.clear()

    def _decide(self, state: UserState) -> tuple[UserState, list[OutRecord]]:
        """Score a user; return the state and the new record of ``user-segments``, if the decision is new."""
        cause = Cause(type="bootstrap", positions=self._ends.start, day=stored_day(self.day))
        step = decide(state, cause, self._as_of, self._model, self._config.rules, self._clock())
        of_models, erased_at = self._model.topic_id, state.facts.erased_at
        records = [
            change_records(change, self._config.topics, self._lane, of_models, erased_at)[1]
            for change in step.changes
        ]
        return step.state, records


def _recalled(before: UserState, record: Record) -> UserState:
    """The user after one more record: newest decision, history and last erasure, but no other facts."""
    erasures = [before.facts.erased_at, erased_at_in(record)]
    erased_at = max((at for at in erasures if at is not None), default=None)
    return replace(adopted(before, record), facts=Facts(erased_at=erased_at))
