from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.features import FEATURES, Feature
from tests.support.worlds.trained_shops import features_table
from trainer.controls.traits import Trait, Traits, traits_of
from trainer.names.segment_names import MAX_CHARACTERS, name_segments


def names(rows: list[dict[str, object]], labels: list[int]) -> list[str]:
    features = [feature for feature in FEATURES if any(feature.name in row for row in rows)]
    traits = traits_of(features_table(rows), np.array(labels, dtype=np.int32), features)
    return name_segments(traits, features)


def named(*traits: Trait, features: tuple[Feature, ...] = FEATURES) -> str:
    """The name of the only segment."""
    return name_segments(Traits((traits,), 1, 2.0, ()), features)[0]


def of_number(feature: str, effect: float) -> Trait:
    return Trait(feature, None, 0.0, 0.0, effect, 9.0, clear=True)


def of_value(feature: str, value: str, here: float) -> Trait:
    return Trait(feature, value, here, here / 2, 0.5, 9.0, clear=True)


def test_named_after_what_sets_them_apart() -> None:
    # Gender: 1 - 0.5 over 0.5 = 1 deviation either way. Age: 10 over 10 = 1 deviation. Nothing else differs.
    rows: list[dict[str, object]] = [{"gender": "F", "age": 20.0}] * 2 + [{"gender": "M", "age": 40.0}] * 2
    assert names(rows, [0, 0, 1, 1]) == ["Younger, women", "Older, men"]


def test_the_two_strongest_traits_the_strongest_first() -> None:
    # Segment 0: brand by 1, gender F 3/4 against 1/2 by 0.5, orders by 1. So gender is left out.
    rows: list[dict[str, object]] = [
        {"gender": gender, "total_orders": orders, "most_frequent_brand": brand}
        for gender, orders, brand in [
            ("F", 5, "Ön"),
            ("F", 5, "Ön"),
            ("F", 5, "Ön"),
            ("M", 5, "Ön"),
            ("F", 1, "2(x)ist"),
            ("M", 1, "2(x)ist"),
            ("M", 1, "2(x)ist"),
            ("M", 1, "2(x)ist"),
        ]
    ]
    assert names(rows, [0] * 4 + [1] * 4) == ["More orders, Ön", "Fewer orders, 2(x)ist"]


def test_a_name_that_is_taken_says_more() -> None:
    # Gender and orders set each segment apart by 1; a country that one of its four has and nobody else by
    # (1/4 - 1/16) / sqrt(1/16 * 15/16) = 0.77.
    def women(country: str) -> list[dict[str, object]]:
        countries = [country, "France", "France", "France"]
        return [{"gender": "F", "total_orders": 1, "country": each} for each in countries]

    men: list[dict[str, object]] = [{"gender": "M", "total_orders": 9, "country": "France"}] * 8
    assert names(women("China") + women("Spain") + men, [0] * 4 + [1] * 4 + [2] * 8) == [
        "Women, fewer orders",
        "Women, often Spain",
        "Men, more orders",
    ]


def test_what_two_features_say_alike_is_said_once() -> None:
    features = (FEATURES[0], Feature("last_age", "last", "age"))
    assert named(of_number("age", -0.9), of_number("last_age", -0.8), features=features) == "Younger"


def test_segments_that_nothing_tells_apart_are_numbered() -> None:
    rows: list[dict[str, object]] = [{"age": 20.0}, {"age": 40.0}] * 3
    assert names(rows, [0, 0, 1, 1, 2, 2]) == ["Average", "Average (2)", "Average (3)"]


def test_a_value_that_few_have_names_nothing() -> None:
    assert named(of_value("country", "Spain", 0.09), of_number("age", 0.2)) == "Older"
    assert named(of_value("country", "Spain", 0.1)) == "Often Spain"
    assert named(of_value("country", "España", 0.5)) == "España"


def test_declared_numbers_have_words_of_their_own() -> None:
    features = (
        Feature("total_spend", "sum", "price"),
        Feature("distinct_brands", "distinct", "brand"),
        Feature("last_brand", "last", "brand"),
    )
    assert named(of_number("total_spend", 0.3), features=features) == "Higher total spend"
    assert named(of_number("total_spend", -0.3), features=features) == "Lower total spend"
    traits = of_number("distinct_brands", -0.4), of_value("last_brand", "adidas", 0.6)
    assert named(*traits, features=features) == "Fewer distinct brands"
    assert named(*reversed(traits), features=features) == "adidas"


def test_a_long_value_is_cut() -> None:
    rows: list[dict[str, object]] = [{"country": "x" * 200}, {"country": "Chad"}]
    assert names(rows, [0, 1]) == ["x" * 23 + "…", "Chad"]


def test_a_trait_that_fits_goes_before_a_stronger_one_that_does_not() -> None:
    """Else both segments were "Often Canada, fewer orders…" in a narrow table."""
    canada, orders = of_value("country", "Canada", 0.4), of_number("total_orders", -0.4)
    brand = of_value("most_frequent_brand", "Adidas", 0.6)
    features = FEATURES
    traits = Traits(((canada, orders), (canada, orders, brand)), 1, 2.0, ())
    assert name_segments(traits, features) == ["Often Canada", "Often Canada, Adidas"]


def test_a_value_without_a_meaning_of_its_own_gets_its_features_name() -> None:
    features = (Feature("club", "last", "status"), Feature("size", "last", "brand"))
    assert named(of_value("club", "true", 0.9), features=features) == "Club true"
    assert named(of_value("size", "42", 0.2), features=features) == "Often size 42"


def test_names_that_stay_are_not_given_again() -> None:
    younger = of_number("age", -0.9)
    traits = Traits(((younger,), (younger,), (younger,)), 1, 2.0, ())
    long = "Younger (2), from an older release with longer names"
    assert name_segments(traits, FEATURES, {2: "Younger"}) == ["Younger (2)", "Younger (3)", "Younger"]
    assert name_segments(traits, FEATURES, {1: long}) == ["Younger", long, "Younger (2)"]


def test_what_cannot_be_seen_is_no_part_of_a_name() -> None:
    assert named(of_value("country", "a\n\u202eb\u0000", 0.9)) == "a b"
    assert named(of_value("country", "\u202e", 0.9)) == "(unreadable)"


DECLARED = (
    *FEATURES,
    Feature("average_order_value_in_euros", "mean", "order_value"),
    Feature("distinct_categories", "distinct", "category"),
    Feature("member", "last", "status"),
)
NUMBERS = [feature.name for feature in DECLARED if feature.numeric]
TEXTS = [feature.name for feature in DECLARED if not feature.numeric]
VALUES = st.text(max_size=40) | st.sampled_from(["F", "M", "true", "Outerwear & Coats", "W" * 23 + "a"])
A_TRAIT = st.builds(of_number, st.sampled_from(NUMBERS), st.floats(-2, 2)) | st.builds(
    of_value, st.sampled_from(TEXTS), VALUES, st.floats(0.01, 1)
)


@given(
    segments=st.lists(st.lists(A_TRAIT, max_size=6), min_size=2, max_size=9),
    same=st.booleans(),
    kept=st.dictionaries(st.integers(0, 8), st.sampled_from(["Women", "Often Canada, fewer orders"])),
)
def test_any_names_differ_in_their_first_24_characters(
    segments: list[list[Trait]], same: bool, kept: dict[int, str]
) -> None:
    if same:
        segments = [segments[0]] * len(segments)
    kept = {place: f"{name} {place}" for place, name in kept.items() if place < len(segments)}
    traits = Traits(tuple(map(tuple, segments)), 1, 2.0, ())
    found = name_segments(traits, DECLARED, kept)
    assert found == name_segments(traits, DECLARED, kept)
    made = [name for place, name in enumerate(found) if place not in kept]
    assert all(0 < len(name) <= MAX_CHARACTERS == 24 for name in made)
    heads = [name[:24] for name in made]
    assert len(set(heads)) == len(heads)
    assert not set(heads) & {name[:24] for name in kept.values()}
