"""The input events after :mod:`schemas.inputs.decode` has read and checked them.

Inside the project ids are text, times are aware UTC datetimes, and blanks are None. Nothing checks these
types again. A producer may write more forms (an id may be a whole number); see
:mod:`schemas.inputs.producer_types`.
"""

from datetime import datetime

from msgspec import Struct

PROFILE_FIELDS = ("age", "gender", "country", "traffic_source")

# The values of a shop's own fields, by the fields' names. A boolean is the text "true" or "false".
OwnProfile = dict[str, str | float]
# The same for orders and items: a number is a whole number of millionths (schemas.inputs.amounts).
OwnValues = dict[str, str | int]


class Signup(Struct, frozen=True):
    """A user's profile, whole or in part; a field with None changes nothing."""

    user_id: str
    created_at: datetime
    age: int | float | None = None
    gender: str | None = None
    country: str | None = None
    traffic_source: str | None = None
    event_id: str | None = None
    own: OwnProfile = {}

    @property
    def at(self) -> datetime:
        """The time that decides whether this fact is newer than another."""
        return self.created_at


class Item(Struct, frozen=True, omit_defaults=True):
    """One line of an order. ``quantity`` is None if the producer sent no quantity; it counts as 1."""

    brand: str | None = None
    category: str | None = None
    product_id: str | None = None
    price: int | float | None = None
    quantity: int | None = None
    own: OwnValues = {}

    @property
    def count(self) -> int:
        return 1 if self.quantity is None else self.quantity


class Order(Struct, frozen=True, omit_defaults=True):
    """One version of an order; (``user_id``, ``order_id``) names the order.

    Only the fold uses ``former``; it is never on the wire. It holds older versions with a later
    ``created_at``, the newest first. Such a version counts if an erasure removes this version.
    """

    user_id: str
    order_id: str
    created_at: datetime
    items: tuple[Item, ...]
    status: str | None = None
    updated_at: datetime | None = None
    event_id: str | None = None
    former: tuple["Order", ...] = ()
    own: OwnValues = {}

    @property
    def at(self) -> datetime:
        """The time that decides whether this version is newer than another version of the order."""
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
