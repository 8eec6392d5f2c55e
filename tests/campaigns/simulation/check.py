"""Compare the decisions of one pass over the log with each commit, and with the final state."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from math import dist
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from schemas.input_events import Event, Order, Signup, UserErased
from schemas.outputs.segment_change import Cause, Change, FeatureValue, SegmentChange
from schemas.outputs.wire import decode_change
from schemas.partitioner import partition_of
from streamer.interfaces.lane_interfaces import OutRecord, Record
from streamer.segment.active_model import ActiveModel
from streamer.segment.lane_day import beginning_of, date_of
from streamer.segment.neighbours import angle
from streamer.segment.scoring import Score
from streamer.user.days.day_totals import without_days
from streamer.user.fold_events import fold
from streamer.user.stored.stored_state import pack_order
from streamer.user.user_state import Facts, UserState
from tests.campaigns.simulation.broken import BrokenPromise, same
from tests.campaigns.simulation.kept import check_kept
from tests.support.checks import feature_oracle
from tests.support.strategies.events import START
from tests.support.worlds.lane_world import World, check_promises

Told = tuple[Any, ...]

# The warehouse has the facts up to this time.
AS_OF = START + timedelta(hours=4)


class _Decision(Struct, frozen=True):
    """A decision. ``activation``: that of the change; ``by``: the last one that decided the same."""

    segment: int
    provisional: bool
    sequence: int
    activation: int
    by: int


class _Fact(Struct, frozen=True):
    """An event, and the id of the topic where its lane read it."""

    topic_id: str
    event: Event


class Ledger:
    """The decisions of one pass over the log, in step with the commits.

    The ledger uses the model's scorer as the lanes do, but not their fold or their comparison.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._positions: dict[tuple[int, str], int] = defaultdict(int)
        self._facts: dict[str, list[_Fact]] = defaultdict(list)
        self._decided: dict[str, _Decision] = {}
        self._told_until: dict[tuple[int, str], int] = defaultdict(int)
        self._expired: set[int] = set()
        self._activations: dict[int, int] = defaultdict(int)
        self.redis_has_lost = False
        self.keys_deleted = False
        # Where the lanes were before their offsets expired: a place that Redis brings back may lie there.
        self._before: dict[tuple[int, str], int] = defaultdict(int)
        self._tells: set[tuple[str, str | None, int | None]] = set()
        self._days: dict[int, date] = {}
        self.changes: list[bytes | None] = []

    def offsets_expired(self, partition: int) -> None:
        """Note that the group's offsets are gone: only changes and the place show the decided events."""
        self._expired.add(partition)

    def begins_with(self, facts: Sequence[Signup | Order], start: Mapping[int, Mapping[str, int]]) -> None:
        """Note the facts of a bootstrap, and the offsets by lane at which the log continues."""
        for fact in facts:
            self._facts[fact.user_id].append(_Fact("the warehouse", fact))
        for partition, offsets in start.items():
            for topic, offset in offsets.items():
                self._positions[partition, topic] = self._told_until[partition, topic] = offset

    def bootstrapped(
        self, partition: int, model: ActiveModel, positions: Mapping[str, int], records: Sequence[OutRecord]
    ) -> None:
        """Check a committed transaction of a bootstrap, with decisions about users of the warehouse."""
        begin = {topic: self._positions[partition, topic] for topic in self._world.topics.inputs}
        if positions:
            same("the offsets that a bootstrap commits", dict(positions), begin)
        found = [decode_change(record.value) for record in records if record.value is not None]
        users = [change.user_id for change in found]
        day = date_of(self._world.config.rules, AS_OF)
        if day is not None:
            day = max([day, *(change.cause.decided_on or day for change in found)])
            self._days[partition] = day
        cause = Cause("bootstrap", positions=begin, day=_unset(day))
        expected = [told for user_id in users for told in self._decide(user_id, cause, AS_OF, model)]
        same("what a bootstrap tells", [_told(change) for change in found], expected)
        where = [(self._world.topics.users, partition, user_id.encode()) for user_id in users]
        same("where it tells it", [(r.topic, r.partition, r.key) for r in records], where)
        if positions:
            ours = {u for u in self._facts if partition_of(u, self._world.partitions) == partition}
            same(
                "of whom a bootstrap has not told when it commits the offsets",
                ours - self._decided.keys(),
                set(),
            )

    def topic_made_anew(self, topic: str) -> None:
        """Note a topic that was created again: its old events stay known; lanes read it from its start."""
        for partition in range(self._world.partitions):
            self._positions[partition, topic] = self._told_until[partition, topic] = 0
            self._before[partition, topic] = 0

    def committed(
        self,
        partition: int,
        topic_ids: Mapping[str, str],
        model: ActiveModel,
        day: date | None,
        begin: Mapping[str, int],
        end: Mapping[str, int],
        records: Sequence[OutRecord],
    ) -> None:
        """Check a committed transaction.

        Args:
            topic_ids: the ids of the topics that the lane read.
            model: the last model of the lane; it must have decided the whole batch.
            day: the last day of the lane; the same holds.
            begin: the lane's next offsets before the batch.
            end: the committed offsets.
        """
        if any(isinstance(told, SegmentChange) for told in self._decoded(records)):
            self._check_activation(partition, model)
        self._check_day(partition, day, end)
        read = [t for t in end if topic_ids[t] == self._world.kafka.topics[t].topic_id]
        same("the offsets of a deleted topic", _of(end, end, read), _of(begin, end, read))
        self._begin(partition, {topic: begin[topic] for topic in read})
        now = dict(begin)
        self._tells = {(told.user_id, told.cause.topic, told.cause.offset) for told in self._decoded(records)}
        changes: list[Told] = []
        letters: list[Told] = []
        handed: list[Told] = []
        for topic in (topic for topic in self._world.topics.inputs if topic in read):
            log = self._world.kafka.topics[topic].partitions[partition]
            for record in log[begin[topic] : end[topic]]:
                now[topic] = record.offset + 1
                event = read_event(self._world, record)
                if event is not None:
                    fact = _Fact(topic_ids[topic], event)
                    changes += self._fold(fact, written(self._world, record), dict(now), model, day)
                elif (goes_to := _goes_to(self._world, record)) is not None:
                    handed.append(goes_to)
                else:
                    came = written(self._world, record)
                    letters.append((came.topic, came.partition, came.offset, came.key, came.value))
        if begin == end:
            changes += self._redecided(records, dict(now), model, day)
        self._same_records(partition, records, changes, letters)
        found = [
            (record.partition, record.key, record.value, dict(record.headers)["segue_rekeyed_from"])
            for record in records
            if record.topic == self._world.topics.rekeyed
        ]
        same("what is handed over to other lanes", found, handed)
        if changes:
            for topic, offset in changes[-1][-1].positions.items():
                if topic in read:
                    self._told_until[partition, topic] = offset
        for topic in read:
            self._positions[partition, topic] = end[topic]

    def _check_activation(self, partition: int, model: ActiveModel) -> None:
        """Check that a lane tells no change by an earlier activation, as long as Redis loses nothing.

        After decisions without a change, or with erasures only, which name no activation, it may go back: if
        it dies before it saves them, nothing shows them.
        """
        if not self.redis_has_lost and model.activation < self._activations[partition]:
            raise BrokenPromise(
                f"lane {partition} decides by activation {model.activation} after"
                f" {self._activations[partition]}"
            )
        self._activations[partition] = model.activation

    def _begin(self, partition: int, begin: dict[str, int]) -> None:
        decided = {topic: self._positions[partition, topic] for topic in begin}
        if begin != decided:
            expired = partition in self._expired
            for topic, offset in begin.items():
                least = self._told_until[partition, topic] if expired else decided[topic]
                most = max(decided[topic], self._before[partition, topic])
                if not least <= offset <= most:
                    raise BrokenPromise(
                        f"the batch begins at {begin}, but decided is up to {decided}, before the offsets"
                        f" expired {most} of {topic}"
                    )
                self._before[partition, topic] = most
            self._go_to(partition, begin)
        self._expired.discard(partition)

    def _go_to(self, partition: int, begin: dict[str, int]) -> None:
        """Keep only the facts before ``begin``, where the lane reads on, and those of deleted topics."""
        ids = {topic: self._world.kafka.topics[topic].topic_id for topic in begin}
        for user_id, facts in self._facts.items():
            if partition_of(user_id, self._world.partitions) == partition:
                self._facts[user_id] = [fact for fact in facts if fact.topic_id not in ids.values()]
        for topic, offset in begin.items():
            for record in self._world.kafka.topics[topic].partitions[partition][:offset]:
                event = read_event(self._world, record)
                if event is not None:
                    self._facts[event.user_id].append(_Fact(ids[topic], event))

    def _check_day(self, partition: int, day: date | None, end: Mapping[str, int]) -> None:
        """Check that a lane's day does not go back, is not ahead of the clock, and is in the offsets."""
        today, before = date_of(self._world.config.rules, self._world.now), self._days.get(partition)
        if (day is None) != (today is None):
            raise BrokenPromise(f"lane {partition} decides on {day}")
        if day is None or today is None:
            return
        if not (before or day) <= day <= today:
            raise BrokenPromise(f"lane {partition} decides on {day} after {before}, and today is {today}")
        named = {self._world.kafka.offsets[topic, partition].day for topic in end}
        same(f"the day in the offsets of lane {partition}", named, {day})
        self._days[partition] = day

    def _redecided(
        self, records: Sequence[OutRecord], positions: dict[str, int], model: ActiveModel, day: date | None
    ) -> Iterator[Told]:
        """Yield the right changes for the users of a batch without events; `check_end` checks the others."""
        cause = Cause("model", self._world.topics.models, 0, model.activation, None, positions, _unset(day))
        at = model.at
        if day is not None and {told.cause.type for told in self._decoded(records)} == {"time"}:
            cause = Cause("time", positions=positions, day=day)
            at = beginning_of(self._world.config.rules, day)
        for record in records:
            if record.topic == self._world.topics.changes and record.key is not None:
                yield from self._decide(record.key.decode(), cause, at, model)

    def _fold(
        self,
        fact: _Fact,
        record: Record,
        positions: dict[str, int],
        model: ActiveModel,
        day: date | None,
    ) -> Iterator[Told]:
        event, user_id, facts = fact.event, fact.event.user_id, self._facts[fact.event.user_id]
        decided, erased_at = self._decided.get(user_id), _erased_at(facts)
        went_back = decided is not None and decided.by > model.activation
        before = self._features(user_id, day) if went_back or day is not None else None
        facts.append(fact)
        is_signup = record.topic == self._world.topics.signups
        kind: Literal["signup", "order"] = "signup" if is_signup else "order"
        place = record.topic, record.partition, record.offset
        cause = Cause(kind, *place, event.event_id, positions, _unset(day))
        if decided is not None and _erased_at(facts) != erased_at:
            sequence = decided.sequence + 1
            yield "erased", user_id, sequence, self._id(user_id, erased_at, sequence), event.at, cause
            del self._decided[user_id]
        elif (went_back or day is not None) and self._may_stay(user_id, cause, before):
            return
        yield from self._decide(user_id, cause, event.at, model)

    def _may_stay(self, user_id: str, cause: Cause, before: Mapping[str, FeatureValue] | None) -> bool:
        """Return whether an event without new features may leave a user where it is.

        A later activation decided without a change, and the place was lost since: the lane does not know the
        decision. Or the day has changed, and the user is still due: the event itself decides nobody.
        """
        told = (user_id, cause.topic, cause.offset) in self._tells
        return not told and before == self._features(user_id, cause.decided_on)

    def _features(self, user_id: str, day: date | None) -> Mapping[str, FeatureValue] | None:
        facts, rules = [fact.event for fact in self._facts[user_id]], self._world.config.rules
        return feature_oracle.features(
            user_id, facts, rules.exclude_statuses, rules.features, day, rules.time_zone
        )

    def _decide(self, user_id: str, cause: Cause, at: datetime, model: ActiveModel) -> Iterator[Told]:
        decided, features = self._decided.get(user_id), self._features(user_id, cause.decided_on)
        if features is None:
            self._decided.pop(user_id, None)
            return
        # A rebuild knows no later activation than its own if the lane has no place when it is moved
        # (docs/guarantees.md), which only deleted keys bring about.
        if decided is not None and decided.activation > model.activation and not self.keys_deleted:
            raise BrokenPromise(f"{user_id} was decided by a later activation than {model.activation} before")
        score = self._score(decided, features, model)
        if decided is None or decided.segment != score.segment:
            change = "moved"
        elif decided.provisional != score.provisional:
            change = "unconfirmed" if score.provisional else "confirmed"
        else:
            self._decided[user_id] = replace(decided, by=model.activation)
            return
        sequence = 1 if decided is None else decided.sequence + 1
        former = None if decided is None else decided.segment
        by = model.activation
        self._decided[user_id] = _Decision(score.segment, score.provisional, sequence, by, by)
        told = (model.activation, model.release.version, score)
        event_id = self._id(user_id, _erased_at(self._facts[user_id]), sequence)
        yield change, user_id, sequence, event_id, at, former, told, features, cause

    def _id(self, user_id: str, erased_at: datetime | None, sequence: int) -> str:
        """Return the id of a change; it depends on no worker. After an erasure the sequence restarts."""
        erased = "" if erased_at is None else erased_at.replace(tzinfo=None).isoformat() + "Z"
        lines = (self._world.topics.prefix, user_id, erased, str(sequence))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]

    def _score(
        self, decided: _Decision | None, features: Mapping[str, FeatureValue], model: ActiveModel
    ) -> Score:
        """Return the nearest centre's score, or the present centre's within the margin."""
        score = model.scorer.score(features)
        min_margin = self._world.config.rules.min_margin
        segments = {segment.id: segment for segment in model.release.segments}
        if decided is None or decided.segment not in segments or min_margin == 0:
            return score
        present = segments[decided.segment]
        own = dist(score.components, present.centre)
        # The same expression as in the product, so that both round alike exactly at the border.
        if own - dist(score.components, segments[score.segment].centre) < min_margin * own:
            return replace(score, segment=present.id, segment_name=present.name, distance=own)
        return score

    def _same_records(
        self, partition: int, records: Sequence[OutRecord], changes: list[Told], letters: list[Told]
    ) -> None:
        topics = self._world.topics
        told = [record.value for record in records if record.topic == topics.changes]
        decoded = self._decoded(records)
        same("the changes", [_told(change) for change in decoded], changes)
        newest = [
            None if change.kind == "erased" else value for change, value in zip(decoded, told, strict=True)
        ]
        same("user-segments", [r.value for r in records if r.topic == topics.users], newest)
        whose = [(partition, change.user_id.encode()) for change in decoded]
        for topic in (topics.changes, topics.users):
            found = [(record.partition, record.key) for record in records if record.topic == topic]
            same(f"the partitions and keys in {topic}", found, whose)
        same("the dead letters", [_letter(r) for r in records if r.topic == topics.dead_letters], letters)
        self.changes += told

    def _decoded(self, records: Sequence[OutRecord]) -> list[Change]:
        told = (record.value for record in records if record.topic == self._world.topics.changes)
        return [decode_change(value) for value in told if value is not None]


def check_end(world: World, ledger: Ledger) -> None:
    """Check every promise, once all lanes have read to the end."""
    try:
        check_promises(world)
    except AssertionError as broken:
        raise BrokenPromise(f"in the end: {broken}") from broken
    told = sorted(record.value or b"" for record in world.records(world.topics.changes))
    same("what a reader sees", told, sorted(value or b"" for value in ledger.changes))
    model = world.models.model
    assert model is not None
    angles: dict[str, float] = {}
    for user_id, facts in world.events().items():
        state = UserState(user_id)
        for event in facts:
            state = fold(state, event, world.config.rules)
        if user_id not in world.redis.users:
            raise BrokenPromise(f"nothing of {user_id} is there")
        has = world.state(user_id).facts
        same(f"the facts of {user_id}", has, as_kept(world, user_id, has, state.facts))
        orders = {
            order_id: pack_order(order) for order_id, order in state.orders.items() if order is not None
        }
        same(f"the orders of {user_id}", world.redis.users[user_id].orders, orders)
        position = world.state(user_id).position
        at = None if position is None else angle(position.components)
        if at is not None:
            angles[user_id] = at
    indexes = {space: index._angles for space, index in world.redis.indexes.items() if len(index)}
    same("the indexes", indexes, {model.release.space: angles} if angles else {})
    check_kept(world, model)


def as_kept(world: World, user_id: str, has: Facts, facts: Facts) -> Facts:
    """Return the facts without the days that Redis may have dropped: they lie in no window any more."""
    day = world.day_of(user_id)
    if day is None or not has.dropped_to:
        return facts
    return without_days(facts, min(has.dropped_to, day.toordinal() - world.config.rules.reach))


def read_event(world: World, record: Record) -> Event | None:
    """Return the event of an input record; None for a dead letter or another lane's event."""
    event = world.event(written(world, record))
    if event is None:
        return None
    return event if partition_of(event.user_id, world.partitions) == record.partition else None


def written(world: World, record: Record) -> Record:
    """Return the record as its producer wrote it."""
    if record.topic != world.topics.rekeyed:
        return record
    topic, partition, offset, at_ms = dict(record.headers)["segue_rekeyed_from"].decode().split("/")
    return Record(topic, int(partition), int(offset), record.key, record.value, int(at_ms))


def _goes_to(world: World, record: Record) -> Told | None:
    """Return a forwarded record's partition, key, value and origin; None if the lane does not forward it."""
    event = world.event(record)
    if event is None or not world.topics.rekey or record.topic == world.topics.rekeyed:
        return None
    origin = f"{record.topic}/{record.partition}/{record.offset}/{record.timestamp_ms}"
    partition = partition_of(event.user_id, world.partitions)
    return partition, event.user_id.encode(), record.value, origin.encode()


def _told(change: Change) -> Told:
    which = (change.kind, change.user_id, change.sequence, change.event_id, change.occurred_at)
    if isinstance(change, SegmentChange):
        score = Score(
            change.segment,
            change.segment_name,
            change.components,
            change.distance,
            change.margin,
            change.missing,
        )
        same("whether it is provisional", change.provisional, score.provisional)
        told = (change.activation, change.model_version, score)
        return *which, change.previous_segment, told, change.features, change.cause
    return *which, change.cause


def _letter(record: OutRecord) -> Told:
    """Return the origin in a dead letter's headers, and its key and value."""
    headers = dict(record.headers)
    if not headers["segue_reason"]:
        raise BrokenPromise(f"a dead letter without a reason: {record}")
    offset, partition = int(headers["segue_offset"]), int(headers["segue_partition"])
    return headers["segue_topic"].decode(), partition, offset, record.key, record.value


def _erased_at(facts: Sequence[_Fact]) -> datetime | None:
    erasures = (fact.event for fact in facts if isinstance(fact.event, UserErased))
    return max((erasure.erased_at for erasure in erasures), default=None)


def _unset(day: date | None) -> date | UnsetType:
    return UNSET if day is None else day


def _of(of_read: Mapping[str, int], topics: Mapping[str, int], read: list[str]) -> dict[str, int]:
    return {topic: of_read[topic] for topic in topics if topic not in read}
