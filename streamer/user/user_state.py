"""A user's state: what the fold needs to go on, what was decided, and where the user lies.

Orders are kept one by one, each under its own field of the user's key, so a state is usually only
*part* of a user: the tallies over all orders, and those orders that the present events name.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from schemas.input_events import Order
from schemas.outputs.segment_change import SegmentChange
from streamer.user.history import KEPT, Entered, entered_by
from streamer.user.stored_formats import NEWEST, UNNUMBERED, check_format

ProfileValue = int | float | str


class Contradiction(Exception):
    """A stored state that no fold can have made: its facts and its orders do not go together."""


class Dated(Struct, frozen=True, array_like=True):
    """A profile field's value and the time that carries it."""

    at: datetime
    value: ProfileValue


class Tally(Struct, frozen=True, array_like=True):
    """Over the counted orders that hold a value: how many items, and the smallest ``created_at``."""

    items: int
    first_at: datetime


class Sum(Struct, frozen=True, array_like=True):
    """Over the counted orders: the sum of a source's numbers, in millionths, and how many they are."""

    total: int
    count: int


class Latest(Struct, frozen=True, array_like=True):
    """The newest counted order that holds a value, and that value; a number is in millionths."""

    created_at: datetime
    order_id: str
    value: int | str

    @property
    def place(self) -> tuple[datetime, str]:
        """What "newest" goes by. Python compares text by code points, which is the order of UTF-8 bytes."""
        return self.created_at, self.order_id


# Where the tallies of a source lie in the facts.
TALLIES = {"brand": "brands", "category": "categories", "product_id": "product_ids", "status": "statuses"}


class Facts(Struct, frozen=True, omit_defaults=True):
    """What the fold knows, apart from the orders themselves.

    ``held`` counts the orders that the user has, ``counted`` those whose status is not excluded. All
    that follows but ``erased_at``, the newest erasure, is over the counted ones, and kept as far as a declared
    feature needs it: tallies by value; by source sums, the least and the most number (in millionths),
    and the newest value.
    """

    signed_up_at: datetime | None = None
    profile: dict[str, Dated] = {}
    held: int = 0
    counted: int = 0
    brands: dict[str, Tally] = {}
    categories: dict[str, Tally] = {}
    product_ids: dict[str, Tally] = {}
    statuses: dict[str, Tally] = {}
    sums: dict[str, Sum] = {}
    least: dict[str, int] = {}
    most: dict[str, int] = {}
    latest: dict[str, Latest] = {}
    erased_at: datetime | None = None

    @property
    def alive(self) -> bool:
        """Whether any fact stands; a tombstone alone is no user."""
        return self.signed_up_at is not None or self.held > 0

    def tally(self, source: str) -> dict[str, Tally]:
        """The tallies of a source, by value."""
        tallies: dict[str, Tally] = getattr(self, TALLIES[source])
        return tallies


class Decided(Struct, frozen=True):
    """What the user's newest ``user-segments`` record says, and the newest model that agreed.

    ``activation`` is an offset in the topic of releases whose id is ``models_topic``; made anew, the
    topic has another id, and the numbers begin again.
    """

    segment: int
    segment_name: str
    provisional: bool
    sequence: int
    model_version: str
    activation: int
    models_topic: str

    def by(self, models_topic: str, activation: int) -> bool:
        """Whether this activation decided, or agreed."""
        return (self.models_topic, self.activation) == (models_topic, activation)


class Position(Struct, frozen=True):
    """Where the user's features lie in a release's space; ``missing`` names the features imputed."""

    space: str
    components: tuple[float, ...]
    missing: tuple[str, ...] = ()


class OrdersMissing(Exception):
    """The fold needs every order of this user, and the state holds only some of them.

    The fold does not read: it raises this from deep within its counting, where alone the need shows.
    :meth:`streamer.batch.batch_users.Users.apply` catches it, reads the orders and folds again. A value returned instead
    would have to pass through every function between the two.
    """

    def __init__(self, user_id: str) -> None:
        super().__init__(user_id)
        self.user_id = user_id


class Ask(Struct, frozen=True):
    """What is wanted of an index of orders: the entries with this beginning, from the first on, or from the last."""

    beginning: str
    last: bool = False


class End(Struct, frozen=True):
    """The first entries of what was asked for, or the last, from the end on; ``complete``: there are no more."""

    entries: tuple[str, ...]
    complete: bool


class UserState(Struct, frozen=True):
    """One user, with those of the orders that were read (``whole``: all of them).

    ``orders`` maps an order id to the order, or to None where the user has no such order. ``entered`` counts the
    segments that the user came into in this life, and ``entries`` are those of them that are not stored yet, the
    newest that are kept. ``indexed``: the store has an index of the orders (:mod:`streamer.user.order_index`), of which
    ``ends`` were read.
    """

    user_id: str
    facts: Facts = Facts()
    decided: Decided | None = None
    position: Position | None = None
    entered: int = 0
    entries: tuple[Entered, ...] = ()
    orders: dict[str, Order | None] = {}
    whole: bool = True
    indexed: bool = False
    ends: Mapping[Ask, End] = {}

    @property
    def known(self) -> bool:
        """Whether anything was ever said of the user, an erasure included."""
        return self.decided is not None or self.facts != Facts()


class _Stored(Struct, frozen=True, omit_defaults=True):
    facts: Facts
    decided: Decided | None = None
    position: Position | None = None
    entered: int = 0
    indexed: bool = False
    # No default that is ever written: it is always named.
    format: int = UNNUMBERED


_decoder = msgspec.json.Decoder(_Stored)
_encoder = msgspec.json.Encoder()


def encode(state: UserState) -> bytes:
    """The stored form of a state, its orders apart: JSON."""
    return _encoder.encode(
        _Stored(state.facts, state.decided, state.position, state.entered, state.indexed, NEWEST)
    )


def decode(user_id: str, stored: bytes | None, orders: dict[str, Order | None]) -> UserState:
    """The state of a user from its stored form and those of its orders that were read.

    Raises:
        Contradiction: it has more orders than it counts.
        NewerFormat: a newer version wrote it.
        msgspec.MsgspecError: it is no state.
    """
    if stored is None:
        return UserState(user_id)
    kept = _read(stored)
    held = sum(order is not None for order in orders.values())
    if held > kept.facts.held:
        raise Contradiction(f"it counts {kept.facts.held} orders and has {held}")
    whole = held == kept.facts.held
    return UserState(
        user_id,
        kept.facts,
        kept.decided,
        kept.position,
        kept.entered,
        orders=orders,
        whole=whole,
        indexed=kept.indexed,
    )


def _read(stored: bytes) -> _Stored:
    """A stored state of any format that this version knows. Format 1 has the same fields as 2, but for the number, and
    neither has an index of orders.
    """
    try:
        kept = _decoder.decode(stored)
    except msgspec.MsgspecError:
        check_format(stored, "a state")  # a newer one is told as such, though it cannot be read
        raise
    if kept.format > NEWEST:
        check_format(stored, "a state")
    return kept


def told(state: UserState, change: SegmentChange, models_topic: str) -> UserState:
    """The state once a change of the user was told: its decision, and its entry into a segment."""
    decided = decided_by(change, models_topic)
    if change.kind != "moved":
        return replace(state, decided=decided)
    entries = (*state.entries, entered_by(change))[-KEPT:]
    return replace(state, decided=decided, entered=state.entered + 1, entries=entries)


def decided_by(change: SegmentChange, models_topic: str) -> Decided:
    """What a change decides; ``models_topic`` is the id of the topic that its activation is in."""
    return Decided(
        segment=change.segment,
        segment_name=change.segment_name,
        provisional=change.provisional,
        sequence=change.sequence,
        model_version=change.model_version,
        activation=change.activation,
        models_topic=models_topic,
    )
