"""Declared features: the article's seven, and others of all kinds and sources. Some depend on the day."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import cast, get_args

from hypothesis import strategies as st

from schemas.event_fields import FieldType
from schemas.features import FEATURES, WINDOWED, Feature, FeatureKind, declared, known_sources

ALL = tuple(
    Feature(f"{kind}_of_{source}", kind, source)
    for kind in get_args(FeatureKind)
    if kind != "days_since"
    for source in known_sources(kind)
)
# A feature of each kind and source that does not depend on the day.
RICH = declared(ALL)

# A feature of each kind and type over a shop's own fields.
_OWN_FIELDS = {
    "user": {"income": "number", "vip": "boolean", "city": "text"},
    "order": {"days": "number", "gift": "boolean", "shipping.country": "text"},
    "item": {"weight": "number", "fresh": "boolean", "material": "text"},
}
_OF_TYPE = {
    "number": ("sum", "mean", "min", "max", "last"),
    "boolean": ("most_frequent", "distinct", "last"),
    "text": ("most_frequent", "distinct", "last"),
}


def _own_features() -> Iterator[Feature]:
    for level, fields in _OWN_FIELDS.items():
        for path, kind in fields.items():
            for how in ("attribute", "last") if level == "user" else _OF_TYPE[kind]:
                name = f"{how}_of_own_{path.replace('.', '_')}"
                yield Feature(name, cast(FeatureKind, how), f"{level}.{path}", type=cast(FieldType, kind))


# The model reads another number of these; their values are those of any other feature.
_CHANGED = (
    Feature("log_of_spend", "sum", "order_value", log=True),
    Feature("group_of_interval", "interval", "order_id", quantile=5),
    Feature("group_of_income", "attribute", "user.income", type="number", quantile=3),
)
OWN = declared((*_own_features(), *_CHANGED))[len(FEATURES) :]


# Features of time.
TIMED = declared(
    (
        *(Feature(f"days_since_{source}", "days_since", source) for source in known_sources("days_since")),
        Feature("days_since_birth", "days_since", "user.born"),
        *(
            Feature(f"windowed_{number}", kind, source, type=given, window=(1, 3, 90)[number % 3])
            for number, (kind, source, given) in enumerate(
                (f.kind, f.source, f.type) for f in (*ALL, *_own_features()) if f.kind in WINDOWED
            )
        ),
    )
)[len(FEATURES) :]
# UTC; a zone with summer time; a zone in which a day may begin twice; a zone that skipped a day.
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia")


def days() -> st.SearchStrategy[date]:
    """Generate days around the facts of :mod:`tests.support.strategies.events` and ``warehouse``."""
    first = st.sampled_from([date(2023, 12, 29), date(2006, 10, 27), date(2011, 12, 28), date(1969, 7, 19)])
    return st.builds(
        lambda day, more: day + timedelta(days=more), first, st.sampled_from([*range(7), 90, 99])
    )


def declarations() -> st.SearchStrategy[tuple[Feature, ...]]:
    """Generate the seven features with a few others; half of the time with as many as there may be."""
    few = st.lists(st.sampled_from(ALL + OWN), unique=True, max_size=8).map(tuple)
    # A `last` of a field of the user is its attribute.
    most = tuple(f for f in ALL + OWN if f.kind != "last" or f.field is None or f.field.level != "user")
    return st.one_of(few, st.just(most)).map(declared)


def of_declared() -> st.SearchStrategy[tuple[Feature, ...]]:
    """Generate some of the default features with some of the others, as the setting `features` does.

    Half of the time all of them.
    """
    every = RICH + OWN + TIMED
    some = st.sets(st.sampled_from(every)).map(
        lambda chosen: tuple(feature for feature in every if feature in chosen)
    )
    return st.one_of(some, st.just(every))
