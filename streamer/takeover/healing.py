"""Healing: bring the states in a store up to what Kafka holds, deciding nothing.

Up to the committed offsets every event was decided already; the decisions lie in ``user-segments``. So
the events are folded, and the decisions read.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from schemas.partitioner import partition_of
from schemas.topics import Topics
from streamer.batch.batch_users import Users
from streamer.batch.decided_records import adopted, cause_positions
from streamer.batch.isolate_records import applied
from streamer.batch.lane_config import LaneConfig
from streamer.batch.read_batch import in_order, read_batch
from streamer.interfaces.lane_errors import InDoubt, TooLarge
from streamer.interfaces.lane_interfaces import Log, Record, Store
from streamer.place.place_marks import Emptying, encode_mark, is_emptied
from streamer.segment.active_model import ActiveModel
from streamer.segment.decide_event import placed
from streamer.takeover.lane_snapshot import LaneSnapshot
from streamer.takeover.read_stretch import by_user, read_between
from streamer.takeover.starting_point import Start
from streamer.user.fold_events import fold
from streamer.user.user_state import Decided, UserState

T = TypeVar("T")

Load = Callable[[Mapping[str, Collection[str]]], Users]
"""Reads these users, each with these orders; raises InDoubt where they are of another place than the last save's."""
Save = Callable[[Users, dict[str, int], bool], None]
"""Writes them with these positions; where the third says so, raises TooLarge rather than write too much at once."""


def decided_until(log: Log, topics: Topics, start: Start, users_end: int, max_batch: int) -> Start:
    """Where no offset is committed, the newest decisions tell up to where events were decided."""
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
    """Empty the lane in the store, if it is torn or another takeover did not come to the end of that.

    Returns:
        The place from which healing goes on.

    Raises:
        InDoubt: another worker saved meanwhile.
    """
    stored, torn, settings = snapshot.stored, snapshot.torn, config.settings
    if torn is None and not is_emptied(stored):
        return stored
    mark = encode_mark(Emptying(writer))
    marked = store.save(stored, mark, []) if torn is None else store.replace_torn(torn, mark)

    def is_ours(user_id: str) -> bool:
        return partition_of(user_id, settings.partitions, settings.partitioner) == partition

    # Until there is nothing to delete under a mark that came after the last deletion: a Redis that loses a deletion may
    # keep the mark that stood before it.
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
    log: Log, load: Load, start: Start, model: ActiveModel, config: LaneConfig, save: Save
) -> None:
    """Fold the events between the place and the committed offsets, saving batch by batch."""
    positions = start.fold_from

    def fold_some(records: Sequence[Record]) -> None:
        nonlocal positions
        batch = read_batch(records, positions, config.topics, config.settings, config.max_ahead)
        users = load(batch.wanted())
        for incoming in batch.events:
            event = incoming.event
            folded = applied(
                users, event, partial(fold, event=event, rules=config.rules), config.rules, model
            )
            if isinstance(folded, UserState):  # else it is a dead letter, told when it was decided
                users.put(folded)
        for state in list(users):
            now, due = placed(state, model, config.rules)
            users.put(now, due=due)
        save(users, batch.positions, True)
        positions = batch.positions

    for records in read_between(log, start.fold_from, start.decide_from, config.max_batch):
        for few in halved(in_order(records, config.topics), fold_some):
            after = {few.topic: few.offset + 1}  # nor did the lane take it
            save(load({}), {**positions, **after}, True)
            positions = {**positions, **after}


def halved(entries: Sequence[T], take: Callable[[Sequence[T]], object]) -> Iterator[T]:
    """Take these entries, in halves as often as they are too large to save; gives each that is so by itself, in turn."""
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
    model_after: Callable[[Iterable[Decided | None]], ActiveModel],
    config: LaneConfig,
    save: Save,
) -> None:
    """Take over each user's newest decision from ``user-segments``; the last record of a user wins.

    Args:
        model_after: the model that decides after these decisions, and places their users.
    """
    topic = config.topics.users

    def adopt_some(records: Sequence[Record]) -> None:
        of_users = list(by_user(records))
        users = load(dict.fromkeys((user_id for user_id, _ in of_users), ()))
        for user_id, record in of_users:
            users.put(adopted(users[user_id], record))
        model = model_after(users[user_id].decided for user_id, _ in of_users)
        for state in list(users):
            now, due = placed(state, model, config.rules)
            users.put(now, due=due)
        save(users, {topic: records[-1].offset + 1}, len(records) > 1)

    for records in read_between(log, {topic: start.users_from}, {topic: users_end}, config.max_batch):
        deque(halved(records, adopt_some))
