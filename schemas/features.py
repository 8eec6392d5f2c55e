"""The features: declared once, and made twice from one declaration, by the SQL and by the fold.

Both sides give the same value for the same history: equal, not close. The article's seven are there by
themselves; the setting ``declare`` adds others. The user id is never a feature.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

from schemas.errors import BadSetting
from schemas.input_events import PROFILE_FIELDS

FeatureKind = Literal["attribute", "count", "most_frequent", "sum", "mean", "min", "max", "last", "distinct"]
FeatureEncoding = Literal["label", "frequency", "one-hot"]

# What a kind can be made from: profile fields, fields of an order's items, or of the order itself.
# ``order_value`` is the sum of price times quantity over an order's items.
ITEM_TEXTS = ("brand", "category", "product_id")
ITEM_NUMBERS = ("price", "quantity")
ORDER_TEXTS = ("status",)
ORDER_NUMBERS = ("order_value",)
TEXTS, NUMBERS = ITEM_TEXTS + ORDER_TEXTS, ITEM_NUMBERS + ORDER_NUMBERS

# The fields of events that features can be made from.
FIELDS = frozenset(PROFILE_FIELDS + ITEM_TEXTS + ITEM_NUMBERS + ORDER_TEXTS)

SOURCES: dict[FeatureKind, tuple[str, ...]] = {
    "attribute": PROFILE_FIELDS,
    "count": ("order_id",),
    "most_frequent": TEXTS,
    "sum": NUMBERS,
    "mean": NUMBERS,
    "min": NUMBERS,
    "max": NUMBERS,
    "last": PROFILE_FIELDS + TEXTS + NUMBERS,
    "distinct": TEXTS,
}

MAX_DECLARED = 64

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TAKEN = ("user_id", "segment")  # columns of assignments.parquet
_COMPONENT = re.compile(r"component_[0-9]+")


class Feature(Struct, frozen=True, omit_defaults=True):
    """One input of the model.

    Attributes:
        name: lowercase letters, digits and underscores.
        kind: ``attribute`` (a profile field), ``count`` (of distinct orders), ``most_frequent`` (the value
            with the most items), ``sum``, ``mean``, ``min``, ``max`` (of a number), ``last`` (the newest
            value), ``distinct`` (how many different values).
        source: what it is made from; see :data:`SOURCES`.
        encoding: how a text becomes numbers, where it is not as the rest of the fit: ``label``,
            ``frequency`` or ``one-hot``; None for a number.
    """

    name: str
    kind: FeatureKind
    source: str
    encoding: FeatureEncoding | None = None

    @property
    def numeric(self) -> bool:
        """Whether the value is a number that is scaled as it is; otherwise it is encoded."""
        if self.kind in ("attribute", "most_frequent", "last"):
            return self.source == "age" or self.source in NUMBERS
        return True

    @property
    def counts(self) -> bool:
        """Whether it is a whole number of orders or values."""
        return self.kind in ("count", "distinct")


FEATURES: tuple[Feature, ...] = (
    Feature("age", "attribute", "age"),
    Feature("gender", "attribute", "gender"),
    Feature("country", "attribute", "country"),
    Feature("traffic_source", "attribute", "traffic_source"),
    Feature("total_orders", "count", "order_id"),
    Feature("most_frequent_brand", "most_frequent", "brand"),
    Feature("most_frequent_category", "most_frequent", "category"),
)
FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)


def declared(more: Iterable[Feature] = ()) -> tuple[Feature, ...]:
    """The article's seven, then these.

    Raises:
        BadSetting: a declaration cannot be made, or a name is taken.
    """
    features = list(FEATURES)
    more = tuple(more)
    if len(more) > MAX_DECLARED:
        raise BadSetting("declare", f"{len(more)} features", f"declare at most {MAX_DECLARED}")
    for feature in more:
        _check(feature)
        if any(feature.name == other.name for other in features):
            raise BadSetting(f"declare.{feature.name}", feature.kind, "the name is taken, choose another one")
        features.append(feature)
    return tuple(features)


def beyond_default(features: Iterable[Feature]) -> tuple[Feature, ...]:
    """What tells how these features are made: those that are none of the article's seven, by name.

    Without their encodings, which are the model's matter.
    """
    others = (replace(feature, encoding=None) for feature in features if feature.name not in FEATURE_NAMES)
    return tuple(sorted(others, key=lambda feature: feature.name))


@cache
def fields_read(features: tuple[Feature, ...], *, statuses: bool) -> frozenset[str]:
    """The fields of events that these features are made from: a wrong value in another one rejects nothing.

    Args:
        features: the features.
        statuses: whether orders are excluded by their status.

    >>> sorted(fields_read((Feature("spend", "sum", "order_value"),), statuses=False))
    ['price', 'quantity']
    """
    read = {field for feature in features for field in _fields_of(feature)}
    return frozenset(read | {"status"} if statuses else read)


def told(features: Iterable[Feature]) -> str:
    """How features are made, for people.

    >>> told([Feature("total_spend", "sum", "order_value")])
    'total_spend = sum of order_value'
    """
    return ", ".join(f"{one.name} = {one.kind} of {one.source}" for one in features) or "nothing"


def _fields_of(feature: Feature) -> set[str]:
    if feature.source in PROFILE_FIELDS or feature.source in ORDER_TEXTS:
        return {feature.source}
    if feature.source in ITEM_TEXTS:
        # Items count by their quantity, except where values are only told apart.
        return {feature.source} if feature.kind == "distinct" else {feature.source, "quantity"}
    return {"price", "quantity"} if feature.source in ("price", "order_value") else {feature.source} & FIELDS


def _check(feature: Feature) -> None:
    setting = f"declare.{feature.name}"
    taken = feature.name in _TAKEN or _COMPONENT.fullmatch(feature.name)
    if taken or not _NAME.fullmatch(feature.name):
        raise BadSetting(
            setting, feature.name, "a name has lowercase letters, digits and _, and is no column of a release"
        )
    if feature.kind not in get_args(FeatureKind):
        raise BadSetting(f"{setting}.kind", feature.kind, f"use one of {', '.join(SOURCES)}")
    if feature.source not in SOURCES[feature.kind]:
        sources = ", ".join(SOURCES[feature.kind])
        raise BadSetting(f"{setting}.source", feature.source, f"{feature.kind} is made from one of {sources}")
    if feature.numeric and feature.encoding is not None:
        raise BadSetting(f"{setting}.encoding", feature.encoding, "leave it out, the feature is a number")
    if feature.encoding is not None and feature.encoding not in get_args(FeatureEncoding):
        choices = ", ".join(get_args(FeatureEncoding))
        raise BadSetting(f"{setting}.encoding", feature.encoding, f"use one of {choices}")
