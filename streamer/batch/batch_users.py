"""The users of one batch: read once from the store, changed in memory, written once."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import NoReturn, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from streamer.interfaces.lane_errors import MAX_SAVE_BYTES, InDoubt, TooLarge
from streamer.interfaces.lane_interfaces import IndexWrite, Store, UserWrite
from streamer.place.place import Sweep
from streamer.place.place_marks import mark_in
from streamer.place.redis_keys import STATE
from streamer.segment.lane_day import LaneDay
from streamer.segment.neighbours import angle
from streamer.user import order_index
from streamer.user.history import history_fields
from streamer.user.order_index import EndsMissing, all_entries, size_of
from streamer.user.order_rules import Rules
from streamer.user.stored.stored_state import decode, encode, pack_order, unpack_order
from streamer.user.user_state import (
    Ask,
    Contradiction,
    End,
    LostKey,
    OrdersMissing,
    Position,
    UserState,
)

T = TypeVar("T")

_PLAIN = ("segment", "segment_name", "provisional", "sequence", "model_version", "activation")

AngleOf = Callable[[UserState], float | None]
"""Returns a user's angle in a space, in radians; None if the user has no angle there."""


class Users:
    """The states of the users that a batch touches."""

    def __init__(self, store: Store, wanted: Mapping[str, Collection[str]]) -> None:
        """Read these users, each with these orders, in one round trip.

        The attribute ``place`` holds the lane's place that was read with the states, and ``listed`` the size
        of the lane's set of users.

        Args:
            store: the lane's store.
            wanted: by user id, the ids of the orders to read.

        Raises:
            Torn: a user's state contradicts itself, or a key of the user is gone.
        """
        self._store = store
        loaded = store.load(wanted)
        self.place, self.listed = loaded.place, loaded.listed
        self._stored = {user_id for user_id, stored in loaded.users.items() if stored.state is not None}
        self._before: dict[str, UserState] = {}
        # Under a mark, the lane is being emptied or filled, and the caller refuses the place.
        whole = mark_in(loaded.place) is None
        for user_id, stored in loaded.users.items():
            try:
                orders = {
                    order_id: None if held is None else unpack_order(user_id, order_id, held)
                    for order_id, held in stored.orders.items()
                }
                state = decode(user_id, stored.state, orders)
                if whole and state.facts.alive is not stored.listed:
                    raise LostKey("a user has a state if and only if the lane's set of users has the user")
                self._before[user_id] = state
            except (Contradiction, msgspec.MsgspecError) as error:
                self.raise_torn(user_id, error)
        self._now = dict(self._before)
        self._due: set[str] = set()

    def __iter__(self) -> Iterator[UserState]:
        return iter(self._now.values())

    def __getitem__(self, user_id: str) -> UserState:
        return self._now[user_id]

    def put(self, state: UserState, *, due: bool = False) -> None:
        """Keep a user's next state; ``due``: the user must be decided again, whatever its last decision."""
        self._now[state.user_id] = state
        (self._due.add if due else self._due.discard)(state.user_id)

    def apply(self, user_id: str, step: Callable[[UserState], T]) -> T:
        """Return the result of ``step`` for the user's state; if it needs more orders, read them and retry.

        Raises:
            InDoubt: the place changed between reading the state and reading the orders.
            Torn: the state contradicts itself. The fault is the store's, not the step's.
        """
        try:
            while True:
                try:
                    return step(self._now[user_id])
                except EndsMissing as missing:
                    self._read_ends(user_id, missing.asks)
                except OrdersMissing:
                    self._read_all_orders(user_id)
        except Contradiction as error:
            self.raise_torn(user_id, error)

    def read_whole(self, user_id: str) -> UserState:
        """The user's state with all of its orders; reads the missing orders. Errors as in :meth:`apply`."""
        if not self._now[user_id].whole:
            self._read_all_orders(user_id)
        return self._now[user_id]

    def _read_ends(self, user_id: str, asks: Mapping[Ask, int]) -> None:
        loaded = self._store.load_ends(user_id, asks)
        self._expect(loaded.place)
        now, before = self._now[user_id], self._before[user_id]
        if not loaded.exists and order_index.has_entries(before.facts):
            raise LostKey("the state says that its orders have an index, but there is none")
        read = {ask: End(tuple(loaded.ends[ask]), len(loaded.ends[ask]) < most) for ask, most in asks.items()}
        self._now[user_id] = replace(now, ends={**now.ends, **read})

    def _expect(self, place: bytes | None) -> None:
        """Check the place of a later read: Redis may have lost its newest writes since the first read."""
        if place != self.place:
            raise InDoubt("the place in Redis changed while a batch was read")

    def _read_all_orders(self, user_id: str) -> None:
        loaded = self._store.load_orders([user_id])
        self._expect(loaded.place)
        try:
            orders = {
                order_id: unpack_order(user_id, order_id, held)
                for order_id, held in loaded.users[user_id].items()
            }
        except msgspec.MsgspecError as error:
            raise Contradiction(f"an order cannot be read: {error}") from None
        counted = self._before[user_id].facts.held
        if len(orders) != counted:
            if self._store.load({user_id: ()}).users[user_id].state is None:
                raise LostKey("the user was deleted after its state was read")
            raise Contradiction(f"the state counts {counted} orders, but {len(orders)} are stored")
        self._before[user_id] = replace(self._before[user_id], orders=dict(orders), whole=True)
        now = self._now[user_id]
        self._now[user_id] = replace(now, orders={**orders, **now.orders}, whole=True)

    def raise_torn(self, user_id: str, error: Exception) -> NoReturn:
        """Raise Torn for a user's state that contradicts itself, or this error if the store is not at fault.

        The store is not at fault if this user's state contradicted itself before (:meth:`Store.doubt`).
        """
        if isinstance(error, LostKey):
            raise self._store.lost_key()
        torn = self._store.doubt(user_id)
        raise error if torn is None else torn

    def writes(
        self,
        sweep: Sweep,
        filled: Mapping[str, AngleOf],
        rules: Rules,
        day: LaneDay | None,
        *,
        index_all: bool = False,
    ) -> list[UserWrite]:
        """What a save must write for the users that changed.

        Args:
            sweep: the lane's newest sweep.
            filled: by space whose index the sweep fills, the function that gives a user's angle there.
            rules: the settings; they say what the index of orders holds.
            day: the day on which the users were decided; None if no declared feature reads the day.
            index_all: write the index entry and all plain fields of every user. Healing does this, because it
                trusts none of them.
        """
        return [
            write_of(
                before,
                now,
                sweep,
                filled,
                rules,
                day,
                index_all=index_all,
                due=now.user_id in self._due,
                existing=now.user_id in self._stored,
            )
            for before, now in zip(self._before.values(), self._now.values(), strict=True)
            if now is not before or index_all
        ]


def check_size(writes: Iterable[UserWrite]) -> None:
    """Check that these writes fit into one save.

    Raises:
        TooLarge: they have more bytes than one save may write.
    """
    size = 0
    for write in writes:
        size += len(write.fields[STATE] or b"")
        size += sum(len(order) for order in write.orders.values() if order is not None)
        size += 0 if write.index is None else size_of(write.index.add)
    if size > MAX_SAVE_BYTES:
        raise TooLarge(size)


def write_of(
    before: UserState | None,
    now: UserState,
    sweep: Sweep,
    filled: Mapping[str, AngleOf],
    rules: Rules,
    day: LaneDay | None,
    *,
    index_all: bool = False,
    due: bool = False,
    anew: bool = False,
    existing: bool = False,
) -> UserWrite:
    """What a save writes for one user.

    Args:
        before: the state in the store; None if the store has none.
        now: the state to write.
        sweep: the lane's newest sweep.
        filled: by space whose index the sweep fills, the function that gives a user's angle there.
        rules: the settings; they say what the index of orders holds.
        day: the day on which the user was decided; None if no declared feature reads the day.
        index_all: write the user's index entry and plain fields even if they seem unchanged.
        due: the user must be decided again, whatever its last decision: on this day, or else by a sweep.
        anew: a sweep must decide the user.
        existing: the store has the user, and must still have it at the save.
    """
    stored, before = before, before or UserState(now.user_id)
    orders: dict[str, bytes | None] = {
        order_id: None if order is None else pack_order(order)
        for order_id, order in now.orders.items()
        if order is not before.orders.get(order_id)
    }
    orders |= {k: None for k, held in before.orders.items() if held is not None and now.orders.get(k) is None}
    index, indexed = _index_write(before, now, rules)
    if indexed != now.indexed:
        now = replace(now, indexed=indexed)
    return UserWrite(
        user_id=now.user_id,
        fields={
            **fields_of(now, None if index_all else stored),
            **history_fields(before.entered, now.entered, now.entries),
        },
        orders=orders,
        angles=_angles(before, now, sweep, filled, index_all=index_all),
        swept=_swept(now, sweep, due=anew or (due and day is None)),
        index=index,
        due=_due(now, day, due=due),
        existing=existing,
        listed=before.facts.alive,
    )


def _index_write(before: UserState, now: UserState, rules: Rules) -> tuple[IndexWrite | None, bool]:
    """The changes in the index of the user's orders, and whether the user has an index afterwards.

    The index begins when the user has more than a few orders and all of them were read. An erasure deletes
    it.
    """
    if before.indexed and now.indexed:
        changed = [
            (before.orders.get(order_id), order)
            for order_id, order in now.orders.items()
            if order is not before.orders.get(order_id)
        ]
        gone = all_entries(now.user_id, (was for was, _ in changed), rules)
        come = all_entries(now.user_id, (order for _, order in changed), rules)
        existing = order_index.has_entries(before.facts)
        changes = IndexWrite(existing=existing, add=sorted(come - gone), remove=sorted(gone - come))
        return changes if come != gone else None, True
    if now.whole and now.facts.held > order_index.MOST_UNINDEXED:
        every = all_entries(now.user_id, now.orders.values(), rules)
        if size_of(every) <= order_index.MAX_BYTES:
            return IndexWrite(anew=True, add=sorted(every)), True
    return IndexWrite(anew=True) if before.indexed else None, False


def fields_of(state: UserState, stored: UserState | None = None) -> dict[str, bytes | str | None]:
    """The fields of a user's hash: the state, and the plain fields for readers.

    Args:
        state: the state to write.
        stored: the state in the store, if the plain fields there are known to agree with it. Then only the
            plain fields that change are given.
    """
    fields: dict[str, bytes | str | None] = {STATE: encode(state)}
    now, was = state.decided, None if stored is None else stored.decided
    if stored is not None and now == was:
        return fields
    for name in _PLAIN:
        value = None if now is None else getattr(now, name)
        if was is None or value != getattr(was, name):
            fields[name] = (
                None if value is None else str(int(value)) if isinstance(value, bool) else str(value)
            )
    return fields


def _swept(state: UserState, sweep: Sweep, *, due: bool) -> int | None:
    """The number of the last sweep that reached the user; 0 if the user still needs a sweep."""
    if not state.facts.alive:
        return None
    decided = state.decided
    if due or decided is None or not decided.by(sweep.models_topic, sweep.activation):
        return 0
    return sweep.number


def _due(state: UserState, day: LaneDay | None, *, due: bool) -> date | UnsetType | None:
    """The day on which the user must be decided again; left out if no declared feature reads the day."""
    if day is None:
        return UNSET
    return day.day if due and state.facts.alive else day.due(state)


def _angles(
    before: UserState, now: UserState, sweep: Sweep, filled: Mapping[str, AngleOf], *, index_all: bool
) -> dict[str, float | None]:
    """The changes in the indexes of angles, by space.

    The state before gives the entry in the index of its own space only; the entries in other indexes are
    unknown.
    """
    angles: dict[str, float | None] = dict.fromkeys(sweep.dropped)
    at, lay = _angle(now.position, sweep.space), before.position
    elsewhere = lay is not None and lay.space != sweep.space
    if index_all or elsewhere or at != _angle(lay, sweep.space):
        angles[sweep.space] = at
    for space, angle_of in filled.items():
        angles[space] = angle_of(now)
    return angles


def _angle(position: Position | None, space: str) -> float | None:
    return angle(position.components) if position is not None and position.space == space else None
