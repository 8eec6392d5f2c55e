"""The features: each is declared once, and computed twice from its declaration, by the SQL and by the fold.

Both compute exactly the same value from the same history. There are seven default features; the setting
``declare`` adds others. The user id is never a feature.
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

# The sources of the kinds: profile fields, fields of an order's items, or fields of the order itself.
# ``order_value`` is the sum of price times quantity over an order's items.
ITEM_TEXTS = ("brand", "category", "product_id")
ITEM_NUMBERS = ("price", "quantity")
ORDER_TEXTS = ("status",)
ORDER_NUMBERS = ("order_value",)
TEXTS, NUMBERS = ITEM_TEXTS + ORDER_TEXTS, ITEM_NUMBERS + ORDER_NUMBERS

# The fields of events that features can read.
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
        source: the field that it reads; see :data:`SOURCES`.
        encoding: how a text becomes numbers, if not as in the rest of the fit: ``label``, ``frequency`` or
            ``one-hot``; None for a number.
    """

    name: str
    kind: FeatureKind
    source: str
    encoding: FeatureEncoding | None = None

    @property
    def numeric(self) -> bool:
        """Whether the value is a number, which is only scaled; a text is encoded first."""
        if self.kind in ("attribute", "most_frequent", "last"):
            return self.source == "age" or self.source in NUMBERS
        return True

    @property
    def counts(self) -> bool:
        """Whether the value is a count of orders or of different values."""
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
    """Return the seven default features, then these.

    Raises:
        BadSetting: a declaration is wrong, or its name is taken.
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
    """Return the features beyond the seven default ones, by name and without their encodings.

    They say how the values are computed. The encoding belongs to the model.
    """
    others = (replace(feature, encoding=None) for feature in features if feature.name not in FEATURE_NAMES)
    return tuple(sorted(others, key=lambda feature: feature.name))


@cache
def fields_read(features: tuple[Feature, ...], *, statuses: bool) -> frozenset[str]:
    """Return the fields of events that these features read; a wrong value elsewhere refuses no event.

    Args:
        features: the features.
        statuses: whether orders are excluded by their status.

    >>> sorted(fields_read((Feature("spend", "sum", "order_value"),), statuses=False))
    ['price', 'quantity']
    """
    read = {field for feature in features for field in _fields_of(feature)}
    return frozenset(read | {"status"} if statuses else read)


def features_text(features: Iterable[Feature]) -> str:
    """Describe features for people.

    >>> features_text([Feature("total_spend", "sum", "order_value")])
    'total_spend = sum of order_value'
    """
    texts = (f"{feature.name} = {feature.kind} of {feature.source}" for feature in features)
    return ", ".join(texts) or "nothing"


def _fields_of(feature: Feature) -> set[str]:
    if feature.source in PROFILE_FIELDS or feature.source in ORDER_TEXTS:
        return {feature.source}
    if feature.source in ITEM_TEXTS:
        # Each item counts with its quantity, except in a count of different values.
        return {feature.source} if feature.kind == "distinct" else {feature.source, "quantity"}
    return {"price", "quantity"} if feature.source in ("price", "order_value") else {feature.source} & FIELDS


def _check(feature: Feature) -> None:
    setting = f"declare.{feature.name}"
    taken = feature.name in _TAKEN or _COMPONENT.fullmatch(feature.name)
    if taken or not _NAME.fullmatch(feature.name):
        raise BadSetting(
            setting, feature.name, "use lowercase letters, digits and _, and no name of a release's column"
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
