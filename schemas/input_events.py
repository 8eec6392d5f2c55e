"""The input events as Segue knows them, after :mod:`schemas.inputs.decode` has read and checked the wire.

Inside the project ids are text, times are aware UTC datetimes, blanks are None, and these types are
believed. What a producer may write is wider (an id may be a whole number); see :mod:`schemas.inputs.producer_types`.
"""

from datetime import datetime

from msgspec import Struct

PROFILE_FIELDS = ("age", "gender", "country", "traffic_source")


class Signup(Struct, frozen=True):
    """A user's profile, whole or in part; a field that is None changes nothing."""

    user_id: str
    created_at: datetime
    age: int | float | None = None
    gender: str | None = None
    country: str | None = None
    traffic_source: str | None = None
    event_id: str | None = None

    @property
    def at(self) -> datetime:
        """The time that orders this fact among others."""
        return self.created_at


class Item(Struct, frozen=True, omit_defaults=True):
    """One line of an order. ``quantity`` is None where the producer named none, which counts as 1."""

    brand: str | None = None
    category: str | None = None
    product_id: str | None = None
    price: int | float | None = None
    quantity: int | None = None

    @property
    def count(self) -> int:
        return 1 if self.quantity is None else self.quantity


class Order(Struct, frozen=True, omit_defaults=True):
    """One version of an order; it is known by (``user_id``, ``order_id``).

    ``former`` is the fold's own and never on the wire: older versions that would count if an erasure took this one away,
    because they name a later ``created_at``; the newest first.
    """

    user_id: str
    order_id: str
    created_at: datetime
    items: tuple[Item, ...]
    status: str | None = None
    updated_at: datetime | None = None
    event_id: str | None = None
    former: tuple["Order", ...] = ()

    @property
    def at(self) -> datetime:
        """The time that orders this version among others of the same order."""
        return self.updated_at or self.created_at


class UserErased(Struct, frozen=True):
    """The user asked to be forgotten: facts created up to ``erased_at`` never count again."""

    user_id: str
    erased_at: datetime
    event_id: str | None = None

    @property
    def at(self) -> datetime:
        return self.erased_at


Event = Signup | Order | UserErased
