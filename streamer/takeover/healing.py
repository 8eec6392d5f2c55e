"""Healing: bring the states in a store up to date with Kafka, without deciding.

Every event before the committed offsets was already decided, and ``user-segments`` holds the decisions. So
healing folds the events and reads the decisions.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from schemas.partitioner import partition_of
from schemas.topics import Topics
from streamer.batch.batch_users import Users
from streamer.batch.decided_records import adopted, cause_positions, day_in, decided_in
from streamer.batch.isolate_records import applied
from streamer.batch.lane_config import LaneConfig
from streamer.batch.read_batch import in_order, read_batch
from streamer.interfaces.lane_errors import InDoubt, TooLarge
from streamer.interfaces.lane_interfaces import Log, Record, Store
from streamer.place import place as places
from streamer.place.place_marks import Emptying, encode_mark, is_emptied
from streamer.segment.active_model import ActiveModel
from streamer.segment.decide_event import placed
from streamer.segment.lane_day import latest
from streamer.takeover.lane_snapshot import LaneSnapshot
from streamer.takeover.read_stretch import by_user, read_between
from streamer.takeover.starting_point import Start, check_settings
from streamer.user.fold_events import fold
from streamer.user.user_state import Decided, UserState

T = TypeVar("T")

Load = Callable[[Mapping[str, Collection[str]]], Users]
"""Reads these users, each with these orders; raises InDoubt if the place is not that of the last save."""
Save = Callable[[Users, dict[str, int], bool], None]
"""Writes the users and the positions; if the third argument is true, raises TooLarge for a too large save."""


def decided_until(log: Log, topics: Topics, start: Start, users_end: int, max_batch: int) -> Start:
    """The start with every ``decide_from``; if an input has no committed offset, decisions give it.

    Args:
        log: the lane's log.
        topics: the names of the topics.
        start: the start so far; its ``by_users`` names the inputs without a committed offset.
        users_end: the end of the lane's partition of ``user-segments``.
        max_batch: the most records to read at once.
    """
    decide_from = dict(start.decide_from)
    users = {topics.users: start.users_from}
    for records in read_between(log, users, {topics.users: users_end}, max_batch):
        for record in records:
            positions = cause_positions(record)
            for topic in start.by_users & positions.keys():
                decide_from[topic] = max(decide_from[topic], positions[topic])
    return replace(start, decide_from=decide_from, by_users=frozenset())


def emptied(
    store: Store, snapshot: LaneSnapshot, partition: int, config: LaneConfig, writer: str
) -> bytes | None:
    """Empty the lane in the store if it is torn, has no place, or was left half emptied.

    A lane without a place may be new. But to find nothing of it is not enough: Redis may lose a deletion
    afterwards, and bring something back. A mark that was written before shows this.

    Args:
        store: the lane's store.
        snapshot: the lane at the beginning of the takeover.
        partition: the lane's partition number.
        config: the settings of the lanes.
        writer: the name of this takeover.

    Returns:
        The bytes of the place, or of the mark, that the first save of healing must find.

    Raises:
        InDoubt: another worker saved meanwhile.
        NeedsRebuild: another lane's place is of other settings. With another number of partitions, users of
            other lanes would seem to be of this one.
    """
    stored, torn, settings = snapshot.stored, snapshot.torn, config.settings
    if torn is None and stored is not None and not is_emptied(stored):
        return stored

    def is_ours(user_id: str) -> bool:
        return partition_of(user_id, settings.partitions, settings.partitioner) == partition

    for other in map(places.readable, store.places(range(settings.partitions))):
        if other is not None:
            check_settings(other.settings, settings)
    mark = encode_mark(Emptying(writer))
    marked = store.save(stored, mark, []) if torn is None else store.replace_torn(torn, mark)

    # Repeat until nothing is left to delete under a mark that was written after the last deletion: a Redis
    # that loses a deletion may keep the mark that stood before the deletion.
    number, deleted = 1, None if not marked else 1
    while deleted:
        deleted, number = store.empty(mark, is_ours), number + 1
        following = encode_mark(Emptying(f"{writer}, {number}"))
        if deleted is not None and not store.save(mark, following, []):
            deleted = None
        mark = following
    if deleted is None:
        raise InDoubt("the place in Redis changed while a torn lane was emptied")
    return mark


def fold_inputs(
    log: Log,
    load: Load,
    start: Start,
    model: ActiveModel,
    day: date | None,
    config: LaneConfig,
    save: Save,
) -> None:
    """Fold the events between the place and the committed offsets, and save batch by batch.

    Args:
        log: the lane's log.
        load: reads users.
        start: the offsets to fold from and to decide from.
        model: the model that gives the users' positions.
        day: the lane's day; None if no declared feature reads the day.
        config: the settings of the lanes.
        save: writes users and offsets.
    """
    positions = start.fold_from

    def fold_some(records: Sequence[Record]) -> None:
        nonlocal positions
        batch = read_batch(
            records, positions, config.topics, config.settings, config.max_ahead, config.unframe
        )
        users = load(batch.wanted())
        for incoming in batch.events:
            event = incoming.event
            folded = applied(
                users, event, partial(fold, event=event, rules=config.rules), config.rules, model, day
            )
            if isinstance(folded, UserState):  # else the lane wrote a dead letter when it decided the event
                users.put(folded)
        for state in list(users):
            now, due = placed(state, model, config.rules, day)
            users.put(now, due=due)
        save(users, batch.positions, True)
        positions = batch.positions

    for records in read_between(log, start.fold_from, start.decide_from, config.max_batch):
        for few in halved(in_order(records, config.topics), fold_some):
            after = {few.topic: few.offset + 1}  # the lane did not apply this record either
            save(load({}), {**positions, **after}, True)
            positions = {**positions, **after}


def halved(entries: Sequence[T], take: Callable[[Sequence[T]], object]) -> Iterator[T]:
    """Call ``take`` with the entries, halved again and again while they are too large to save.

    Yields:
        Each entry that is too large even alone, in order.
    """
    try:
        take(entries)
    except TooLarge:
        if len(entries) <= 1:
            yield from entries
            return
        middle = len(entries) // 2
        yield from halved(entries[:middle], take)
        yield from halved(entries[middle:], take)


def adopt(
    log: Log,
    load: Load,
    start: Start,
    users_end: int,
    present_after: Callable[[Iterable[Decided | None], date | None], tuple[ActiveModel, date | None]],
    config: LaneConfig,
    save: Save,
) -> None:
    """Adopt each user's newest decision from ``user-segments``, and save batch by batch.

    Args:
        log: the lane's log.
        load: reads users.
        start: its ``users_from`` is the offset to read from. The last record of a user wins.
        users_end: the offset to read up to.
        present_after: takes decisions and their latest day; returns the model and the day that decide from
            then on, which give the users' positions.
        config: the settings of the lanes.
        save: writes users and offsets.
    """
    topic = config.topics.users

    def adopt_some(records: Sequence[Record]) -> None:
        of_users = list(by_user(records))
        users = load(dict.fromkeys((user_id for user_id, _ in of_users), ()))
        for user_id, record in of_users:
            users.put(adopted(users[user_id], record))
        # Also those of users that a later record erases: each shows which activation the lane had used.
        decided = [decided_in(record) for _, record in of_users]
        # Without features of time, no record is decoded for its day.
        days = (day_in(record) for _, record in of_users if config.rules.of_time)
        model, day = present_after(decided, latest(days))
        for state in list(users):
            now, due = placed(state, model, config.rules, day)
            users.put(now, due=due)
        save(users, {topic: records[-1].offset + 1}, len(records) > 1)

    for records in read_between(log, {topic: start.users_from}, {topic: users_end}, config.max_batch):
        deque(halved(records, adopt_some))
