"""The records that a producer may write to the inputs, as types for the JSON Schemas.

Segue does not read records with these types, but with :mod:`schemas.inputs.decode`, whose errors say what is
wrong. That module accepts a little more: blank text for null everywhere, and a whole JSON number in any
notation. It also checks rules that JSON Schema cannot express: lengths are in bytes, a time must exist, a
number must fit a double.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from schemas.inputs.field_checks import (
    DELETED,
    ERASED_TYPE,
    MAX_AGE,
    MAX_ID_BYTES,
    MAX_QUANTITY,
    MAX_TEXT_BYTES,
    MAX_WHOLE_ID,
    MIN_WHOLE_ID,
)
from schemas.inputs.usual_events import MAX_ITEMS

# Dialects of regular expressions differ in \s; these are exactly the characters of str.isspace().
BLANK = "\\t-\\r\\u001c-\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
NOT_BLANK = f"[^{BLANK}]"
FLOAT_ID = r"^-?[0-9]+\.0+$"
RFC3339 = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)

# msgspec allows no bound beyond 63 bits, so only the schema has the upper bound.
_Whole = Annotated[int, Meta(ge=MIN_WHOLE_ID, extra_json_schema={"maximum": MAX_WHOLE_ID})]
_Id = (
    Annotated[
        str,
        Meta(max_length=MAX_ID_BYTES, pattern=NOT_BLANK, extra_json_schema={"not": {"pattern": FLOAT_ID}}),
    ]
    | _Whole
)
_OptionalId = Annotated[str, Meta(max_length=MAX_ID_BYTES)] | _Whole | None
_Text = Annotated[str, Meta(max_length=MAX_TEXT_BYTES)] | None
_Time = Annotated[
    str, Meta(max_length=MAX_TEXT_BYTES, pattern=RFC3339, extra_json_schema={"format": "date-time"})
]

_Deleted = Annotated[
    Any,
    Meta(
        description="Set by change data capture. A deleted row is refused; any other value is ignored.",
        extra_json_schema={"not": {"enum": [True, "true"]}},
    ),
]

_UserId = Annotated[_Id, Meta(description='Also the record\'s key, as text: 7 and "7" are one user.')]
_EventId = Annotated[_OptionalId, Meta(description="Only named in the cause of a change.")]


class SignupEvent(Struct, kw_only=True):
    """A user's profile, whole or in part.

    A later signup updates the profile. For each field the value with the newest ``created_at`` counts.
    """

    type: Annotated[
        Any,
        Meta(
            description=f"Ignored, unless it is {ERASED_TYPE!r}: see UserErasedEvent.",
            extra_json_schema={"not": {"const": ERASED_TYPE}},
        ),
    ] = None
    event_id: _EventId = None
    user_id: _UserId
    created_at: _Time
    age: Annotated[float, Meta(ge=0, le=MAX_AGE)] | None = None
    gender: _Text = None
    country: _Text = None
    traffic_source: _Text = None
    deleted: _Deleted = field(name=DELETED, default=None)


class UserErasedEvent(Struct, kw_only=True):
    """The user asked to be forgotten: facts created up to ``erased_at`` never count again.

    It goes to ``signups``. There a null value with the user id as its key means the same.
    """

    type: Literal["user.erased"]
    event_id: _EventId = None
    user_id: _UserId
    erased_at: Annotated[_Time | None, Meta(description="Without it, the record's time.")] = None


class OrderItem(Struct, kw_only=True):
    """One line of an order."""

    brand: _Text = None
    category: _Text = None
    product_id: _OptionalId = None
    price: float | None = None
    quantity: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_QUANTITY)] | None, Meta(description="Without it, 1.")
    ] = None


class OrderEvent(Struct, kw_only=True):
    """One version of an order, with all its items; ``user_id`` and ``order_id`` name the order.

    Only the version with the newest ``updated_at`` (if absent: ``created_at``) counts.
    """

    event_id: _EventId = None
    order_id: _Id
    user_id: _UserId
    created_at: _Time
    items: Annotated[list[OrderItem], Meta(min_length=1, max_length=MAX_ITEMS)]
    status: _Text = None
    updated_at: _Time | None = None
    deleted: _Deleted = field(name=DELETED, default=None)
