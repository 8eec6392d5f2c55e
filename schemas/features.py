"""The features: each is declared once, and computed twice from its declaration, by the SQL and by the fold.

Both compute exactly the same value from the same history. There are seven default features; the setting
``declare`` adds others. The user id is never a feature.
"""

import re
from collections.abc import Iterable
from typing import Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

from schemas.errors import BadSetting
from schemas.event_fields import (
    FIELD_TYPES,
    KNOWN,
    Field,
    FieldType,
    Level,
    field_of,
    short_name,
    why_no_field,
)

FeatureKind = Literal[
    "attribute",
    "count",
    "most_frequent",
    "sum",
    "mean",
    "min",
    "max",
    "last",
    "distinct",
    "interval",
    "days_since",
]
FeatureEncoding = Literal["label", "frequency", "one-hot"]

COUNTED = "order_id"
"""The source of a count and of an interval: the distinct ids of the orders."""
ORDER_VALUE = "order_value"
"""A source that is no field: the sum of price times quantity over an order's items."""

LAST_ORDER, FIRST_ORDER, SIGNUP = "last_order", "first_order", "signup"
"""Sources that are no fields: the date of the last and the first order, and of the first signup."""

# By kind, the levels of the fields that it can read, and the types.
_LEVELS: dict[FeatureKind, tuple[Level, ...]] = {
    "attribute": ("user",),
    "count": (),
    "most_frequent": ("order", "item"),
    "sum": ("order", "item"),
    "mean": ("order", "item"),
    "min": ("order", "item"),
    "max": ("order", "item"),
    "last": ("user", "order", "item"),
    "distinct": ("order", "item"),
    "interval": (),
    "days_since": ("user",),
}
_VALUES: tuple[FieldType, ...] = ("text", "number", "boolean")
_CATEGORIES: tuple[FieldType, ...] = ("text", "boolean")
_NUMBERS: tuple[FieldType, ...] = ("number",)
_TYPES: dict[FeatureKind, tuple[FieldType, ...]] = {
    "attribute": _VALUES,
    "count": (),
    "most_frequent": _CATEGORIES,
    "sum": _NUMBERS,
    "mean": _NUMBERS,
    "min": _NUMBERS,
    "max": _NUMBERS,
    "last": _VALUES,
    "distinct": _CATEGORIES,
    "interval": (),
    "days_since": ("date",),
}
# By kind, the sources that are no field.
_SOURCES: dict[FeatureKind, tuple[str, ...]] = {
    "count": (COUNTED,),
    "interval": (COUNTED,),
    "days_since": (LAST_ORDER, FIRST_ORDER, SIGNUP),
    "sum": (ORDER_VALUE,),
    "mean": (ORDER_VALUE,),
    "min": (ORDER_VALUE,),
    "max": (ORDER_VALUE,),
    "last": (ORDER_VALUE,),
}

MAX_DECLARED = 64
WINDOWED: tuple[FeatureKind, ...] = ("count", "sum", "mean", "distinct", "most_frequent")
"""The kinds that can count the orders of a window only."""
WINDOWS = range(1, 3_651)
"""The numbers of days that a window may have."""
QUANTILES = range(2, 101)
"""The numbers of groups that a number may be cut into."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TAKEN = ("user_id", "segment")  # columns of assignments.parquet
_COMPONENT = re.compile(r"component_[0-9]+")


class Feature(Struct, frozen=True, omit_defaults=True):
    """One input of the model.

    Attributes:
        name: lowercase letters, digits and underscores.
        kind: ``attribute`` (a field of the user), ``count`` (of distinct orders), ``most_frequent`` (the
            value with the most items), ``sum``, ``mean``, ``min``, ``max`` (of a number), ``last`` (the
            newest value), ``distinct`` (how many different values), ``interval`` (mean days between orders),
            ``days_since`` (whole days from a date to the day).
        source: the field that it reads (:mod:`schemas.event_fields`), or a source that is no field.
        encoding: how a text becomes numbers, if not as in the rest of the fit: ``label``, ``frequency`` or
            ``one-hot``; None for a number.
        type: the type of a field of a shop's own; None for what the kind needs, else text.
        log: whether the model reads ln(1 + x) of the number x.
        window: only orders of the last so many days count, the present day among them; None: all orders.
        quantile: the model reads to which of this many groups the number belongs, 1 for the smallest; None:
            it reads the number or its logarithm.
    """

    name: str
    kind: FeatureKind
    source: str
    encoding: FeatureEncoding | None = None
    type: FieldType | None = None
    log: bool = False
    quantile: int | None = None
    window: int | None = None

    @property
    def field(self) -> Field | None:
        """The field that it reads; None for a source that is no field."""
        types = _TYPES[self.kind]
        return field_of(self.source, self.type or (types[0] if types and "text" not in types else None))

    @property
    def numeric(self) -> bool:
        """Whether the value is a number or a boolean, which is only scaled; a text is encoded first."""
        if self.kind in ("attribute", "most_frequent", "last"):
            return self.field is None or self.field.type != "text"
        return True

    @property
    def boolean(self) -> bool:
        """Whether the value is true or false."""
        value = self.kind in ("attribute", "most_frequent", "last")
        return value and self.field is not None and self.field.type == "boolean"

    @property
    def counts(self) -> bool:
        """Whether the value is a count of orders or of different values."""
        return self.kind in ("count", "distinct")

    @property
    def of_time(self) -> bool:
        """Whether the value depends on the day."""
        return self.kind == "days_since" or self.window is not None


FEATURES: tuple[Feature, ...] = (
    Feature("age", "attribute", "age"),
    Feature("gender", "attribute", "gender"),
    Feature("country", "attribute", "country"),
    Feature("traffic_source", "attribute", "traffic_source"),
    Feature("total_orders", "count", COUNTED),
    Feature("most_frequent_brand", "most_frequent", "brand"),
    Feature("most_frequent_category", "most_frequent", "category"),
)
FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)

RFM: tuple[Feature, ...] = (
    Feature("recency", "days_since", LAST_ORDER, log=True),
    Feature("frequency", "count", COUNTED, log=True),
    Feature("monetary", "sum", ORDER_VALUE, log=True),
)
"""The features of the preset ``rfm``: how recently, how often and for how much a user ordered."""


def declared(more: Iterable[Feature] = ()) -> tuple[Feature, ...]:
    """Return the seven default features, then these, with the short names of their sources.

    Raises:
        BadSetting: a declaration is wrong, its name is taken, or two features read one field as two types.
    """
    features = list(FEATURES)
    more = tuple(more)
    if len(more) > MAX_DECLARED:
        raise BadSetting("declare", f"{len(more)} features", f"declare at most {MAX_DECLARED}")
    types: dict[str, tuple[str, FieldType]] = {}
    for given in more:
        feature = replace(given, source=short_name(given.source))
        _check(feature)
        if any(feature.name == other.name for other in features):
            raise BadSetting(f"declare.{feature.name}", feature.kind, "the name is taken, choose another one")
        field = feature.field
        if field is not None and field.own:
            reader, kind = types.setdefault(field.name, (feature.name, field.type))
            if kind != field.type:
                raise BadSetting(
                    f"declare.{feature.name}.type",
                    field.type,
                    f"{reader} reads {field.name} as {kind}: give both the same type",
                )
        features.append(feature)
    _check_paths(features)
    return tuple(features)


def known_sources(kind: FeatureKind) -> tuple[str, ...]:
    """Return the short names of the sources that a kind can read."""
    known = (f.name for f in KNOWN.values() if f.level in _LEVELS[kind] and f.type in _TYPES[kind])
    return (*known, *_SOURCES.get(kind, ()))


def of_time(features: Iterable[Feature]) -> bool:
    """Return whether any of these features depends on the day."""
    return any(feature.of_time for feature in features)


def beyond_default(features: Iterable[Feature]) -> tuple[Feature, ...]:
    """Return the features beyond the seven default ones, by name and without what only the model reads.

    They say how the values are computed. Encoding, logarithm and groups belong to the model.
    """
    others = (
        replace(feature, encoding=None, log=False, quantile=None)
        for feature in features
        if feature.name not in FEATURE_NAMES
    )
    return tuple(sorted(others, key=lambda feature: feature.name))


def left_out(features: Iterable[Feature]) -> tuple[str, ...]:
    """Return the names of the default features that are not among these, in the default order."""
    names = {feature.name for feature in features}
    return tuple(name for name in FEATURE_NAMES if name not in names)


def features_text(features: Iterable[Feature]) -> str:
    """Describe features for people.

    >>> features_text([Feature("total_spend", "sum", "order_value")])
    'total_spend = sum of order_value'
    """
    texts = (
        f"{feature.name} = {feature.kind} of {feature.source}"
        + (f" as {feature.type}" if feature.type else "")
        + (f" over {feature.window}d" if feature.window else "")
        for feature in features
    )
    return ", ".join(texts) or "nothing"


def _check_paths(features: Iterable[Feature]) -> None:
    """Refuse a field that another feature reads as an object with fields of its own."""
    own = {f.field.name: f.name for f in features if f.field is not None and f.field.own}
    for name, reader in own.items():
        inside = next((other for other in own if other.startswith(f"{name}.")), None)
        if inside is not None:
            raise BadSetting(
                f"declare.{reader}.source", name, f"{own[inside]} reads {inside}, which is a field inside it"
            )
        known = KNOWN.get(name.split(".")[1])
        if known is not None and known.level == name.split(".")[0]:
            raise BadSetting(
                f"declare.{reader}.source", name, f"{known.name} is a {known.type}: no field lies inside it"
            )


def _check(feature: Feature) -> None:
    setting = f"declare.{feature.name}"
    taken = feature.name in _TAKEN or _COMPONENT.fullmatch(feature.name)
    if taken or not _NAME.fullmatch(feature.name):
        raise BadSetting(
            setting,
            feature.name,
            "use at most 63 lowercase letters, digits and _, and no name of a release's column",
        )
    if feature.kind not in get_args(FeatureKind):
        raise BadSetting(f"{setting}.kind", feature.kind, f"use one of {', '.join(get_args(FeatureKind))}")
    if feature.type is not None and feature.type not in FIELD_TYPES:
        raise BadSetting(f"{setting}.type", feature.type, f"use one of {', '.join(FIELD_TYPES)}")
    _check_source(feature, setting)
    if feature.numeric and feature.encoding is not None:
        raise BadSetting(f"{setting}.encoding", feature.encoding, "leave it out, the feature is a number")
    _check_number(feature, setting)
    _check_window(feature, setting)
    if feature.encoding is not None and feature.encoding not in get_args(FeatureEncoding):
        choices = ", ".join(get_args(FeatureEncoding))
        raise BadSetting(f"{setting}.encoding", feature.encoding, f"use one of {choices}")


def _check_number(feature: Feature, setting: str) -> None:
    """Refuse what only numbers can have."""
    for name, value in (("log", feature.log or None), ("quantile", feature.quantile)):
        if value is not None and (not feature.numeric or feature.boolean):
            kind = "true or false" if feature.boolean else "a text"
            raise BadSetting(f"{setting}.{name}", value, f"leave it out, the feature is {kind}")
    if feature.quantile is None:
        return
    if feature.quantile not in QUANTILES:
        most = QUANTILES[-1]
        raise BadSetting(f"{setting}.quantile", feature.quantile, f"use a whole number from 2 to {most}")
    if feature.log:
        fix = "leave log or quantile out, the groups of a logarithm are those of the number"
        raise BadSetting(f"{setting}.log", feature.log, fix)


def _check_window(feature: Feature, setting: str) -> None:
    if feature.window is None:
        return
    if feature.kind not in WINDOWED:
        reason = f"leave it out, only {', '.join(WINDOWED)} have one"
        raise BadSetting(f"{setting}.window", f"{feature.window}d", reason)
    if feature.window not in WINDOWS:
        raise BadSetting(f"{setting}.window", f"{feature.window}d", f"use 1d to {WINDOWS[-1]}d")


def _check_source(feature: Feature, setting: str) -> None:
    kind, source, field = feature.kind, feature.source, feature.field
    fits = field is not None and field.level in _LEVELS[kind]
    if not fits and source not in _SOURCES.get(kind, ()):
        reason = why_no_field(source)
        made = f"{kind} is made from {_sources(kind)}" if reason is None else reason
        raise BadSetting(f"{setting}.source", source if len(source) <= 80 else f"{source[:80]}…", made)
    if field is None:
        if feature.type is not None:
            raise BadSetting(f"{setting}.type", feature.type, f"leave it out, {source} has its own type")
        return
    if feature.type is not None and feature.type != field.type:
        raise BadSetting(f"{setting}.type", feature.type, f"leave it out, {source} is a {field.type}")
    if field.type not in _TYPES[kind] and field.own:
        raise BadSetting(f"{setting}.type", feature.type, f"{kind} reads a {' or a '.join(_TYPES[kind])}")
    if field.type not in _TYPES[kind]:
        raise BadSetting(f"{setting}.source", source, f"{kind} is made from {_sources(kind)}")


def _sources(kind: FeatureKind) -> str:
    own = [f"{level}.<field>" for level in _LEVELS[kind]]
    sources = [*known_sources(kind), *own]
    return f"one of {', '.join(sources)}" if own else sources[0]
