"""A user's state: the facts for the fold, the last decision, and the user's position.

Redis keeps each order in its own field of the user's key. So a state is usually only *part* of a user: the
tallies over all orders, and the orders that the present events name.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from schemas.input_events import Order
from schemas.outputs.segment_change import SegmentChange
from streamer.user.history import KEPT, Entered, entered_by

ProfileValue = int | float | str


class Contradiction(Exception):
    """A stored state that no fold can have made: its facts and its orders disagree."""


class LostKey(Contradiction):
    """A key of the user is gone, while another key of the lane says that it was written."""


class Dated(Struct, frozen=True, array_like=True):
    """A profile field's value and the time of the signup that gave it."""

    at: datetime
    value: ProfileValue


class Tally(Struct, frozen=True, array_like=True):
    """The number of items with a value in counted orders, and the smallest ``created_at`` of these orders."""

    items: int
    first_at: datetime


class Sum(Struct, frozen=True, array_like=True):
    """The sum of a source's numbers over the counted orders, in millionths, and the count of the numbers."""

    total: int
    count: int


class Latest(Struct, frozen=True, array_like=True):
    """The newest counted order that has a value, and the value; a number is in millionths."""

    created_at: datetime
    order_id: str
    value: int | str

    @property
    def place(self) -> tuple[datetime, str]:
        """The key that finds the newest. Python compares text by code points, as UTF-8 bytes would."""
        return self.created_at, self.order_id


class DayTotals(Struct, frozen=True, array_like=True):
    """The totals over the counted orders of one day: their number, sums by source, tallies by source."""

    orders: int = 0
    sums: dict[str, Sum] = {}
    tallies: dict[str, dict[str, Tally]] = {}


# By source, the field of the facts that holds its tallies. Those of a shop's own fields are in `own`.
TALLIES = {"brand": "brands", "category": "categories", "product_id": "product_ids", "status": "statuses"}


class Facts(Struct, frozen=True, array_like=True):
    """What the fold knows of a user, without the orders themselves.

    Attributes:
        signed_up_at: the newest signup; None if there is none.
        profile: the newest value of each profile field, by name.
        held: how many orders the user has.
        counted: how many of these orders count, because their status is not excluded.
        brands: tallies by brand. This field and those up to ``latest`` are over the counted orders only, and
            they are kept only if a declared feature needs them.
        categories: tallies by category.
        product_ids: tallies by product id.
        statuses: tallies by status.
        sums: the sum of the numbers, by source.
        least: the smallest number in millionths, by source.
        most: the largest number in millionths, by source.
        latest: the newest value, by source.
        own: the tallies of a shop's own fields, by source.
        days: the number of counted orders by day, a date's ordinal in the setting ``time_zone``. It is kept
            only if a declared feature needs it, like ``signups``.
        signups: the newest signup of each day, by day.
        totals: the totals by day, for features over a window of days.
        dropped_to: ``totals`` has no days up to this one; they lie in no window any more.
        erased_at: the newest erasure; None if the user was never erased.
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
    own: dict[str, dict[str, Tally]] = {}
    days: dict[int, int] = {}
    signups: dict[int, datetime] = {}
    totals: dict[int, DayTotals] = {}
    dropped_to: int = 0

    @property
    def alive(self) -> bool:
        """Whether the user has a signup or an order; a tombstone alone is no user."""
        return self.signed_up_at is not None or self.held > 0

    def tally(self, source: str) -> dict[str, Tally]:
        """The tallies of a source, by value."""
        if source not in TALLIES:
            return self.own.get(source, {})
        tallies: dict[str, Tally] = getattr(self, TALLIES[source])
        return tallies


class Decided(Struct, frozen=True, array_like=True):
    """The decision in the user's newest ``user-segments`` record, and the newest model that agreed with it.

    ``activation`` is an offset in the topic of releases, and ``models_topic`` is the id of this topic. A
    topic that is deleted and created again has another id, and its offsets begin again at 0.
    """

    segment: int
    segment_name: str
    provisional: bool
    sequence: int
    model_version: str
    activation: int
    models_topic: str

    def by(self, models_topic: str, activation: int) -> bool:
        """Whether this activation made the decision or agreed with it."""
        return (self.models_topic, self.activation) == (models_topic, activation)


class Position(Struct, frozen=True, array_like=True):
    """The user's components in a release's space; ``missing`` names the imputed features."""

    space: str
    components: tuple[float, ...]
    missing: tuple[str, ...] = ()


class OrdersMissing(Exception):
    """The fold needs every order of this user, and the state holds only some of them.

    The fold does not read. Only deep within its counting does it find that it needs the orders, and it raises
    this error there. :meth:`streamer.batch.batch_users.Users.apply` catches the error, reads the orders and
    folds again. A return value would have to pass through every function between the two.
    """

    def __init__(self, user_id: str) -> None:
        super().__init__(user_id)
        self.user_id = user_id


class Ask(Struct, frozen=True):
    """A question to an index of orders: the first entries with this beginning, or the last if ``last``."""

    beginning: str
    last: bool = False


class End(Struct, frozen=True):
    """The answer to an :class:`Ask`: its first entries, or its last entries beginning with the last.

    ``complete`` is true if the index has no more entries for this question.
    """

    entries: tuple[str, ...]
    complete: bool


class UserState(Struct, frozen=True):
    """One user, with the orders that were read.

    Attributes:
        user_id: the user.
        facts: what the fold knows of the user.
        decided: the last decision; None before the first one and after an erasure.
        position: the user's components; None before the first decision.
        entered: how many times the user entered a segment in this life.
        entries: the newest of these entries, not stored yet, at most :data:`streamer.user.history.KEPT`.
        orders: the orders that were read, by order id; None if the user does not have that order.
        whole: ``orders`` holds all of the user's orders.
        indexed: the store has an index of the orders (:mod:`streamer.user.order_index`).
        ends: the parts of the index that were read.
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
        """Whether the lane has ever seen the user, even if only in an erasure."""
        return self.decided is not None or self.facts != Facts()

    @property
    def exists(self) -> bool:
        """Whether the user has a fact or a decision; a tombstone alone is no user.

        After a bootstrap, a user whose facts are not in the warehouse has only the decision.
        """
        return self.decided is not None or self.facts.alive


def with_change(state: UserState, change: SegmentChange, models_topic: str) -> UserState:
    """The state after a published change: with its decision and, if the user moved, a history entry.

    Args:
        state: the user's state before the change.
        change: the change.
        models_topic: the id of the topic that holds the change's activation.
    """
    decided = decided_by(change, models_topic)
    if change.kind != "moved":
        return replace(state, decided=decided)
    entries = (*state.entries, entered_by(change))[-KEPT:]
    return replace(state, decided=decided, entered=state.entered + 1, entries=entries)


def decided_by(change: SegmentChange, models_topic: str) -> Decided:
    """The decision in a change; ``models_topic`` is the id of the topic that holds its activation."""
    return Decided(
        segment=change.segment,
        segment_name=change.segment_name,
        provisional=change.provisional,
        sequence=change.sequence,
        model_version=change.model_version,
        activation=change.activation,
        models_topic=models_topic,
    )
