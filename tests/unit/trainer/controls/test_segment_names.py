from __future__ import annotations

import numpy as np

from schemas.features import FEATURES, Feature
from schemas.release.release_checks import MAX_NAME_BYTES
from tests.support.worlds.trained_shops import features_table
from trainer.controls.segment_names import name_segments
from trainer.controls.traits import Trait, Traits, traits_of


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


def test_the_two_strongest_traits_in_the_features_order() -> None:
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
        "Women, often Spain, fewer orders",
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
    assert named(*traits, features=features) == "Fewer distinct brands, adidas"


def test_a_long_value_is_cut() -> None:
    rows: list[dict[str, object]] = [{"country": "x" * 200}, {"country": "y"}]
    assert names(rows, [0, 1]) == ["x" * 29 + "…", "y"]


def test_what_cannot_be_seen_is_no_part_of_a_name() -> None:
    assert named(of_value("country", "a\n\u202eb\u0000", 0.9)) == "a b"
    assert named(of_value("country", "\u202e", 0.9)) == "(unreadable)"


def test_segments_that_are_all_alike_are_numbered_before_their_names_grow_too_long() -> None:
    features = tuple(Feature(f"f{n}", "last", "brand") for n in range(12))
    traits = tuple(of_value(feature.name, chr(0x1F600 + n) * 30, 0.9) for n, feature in enumerate(features))
    found = name_segments(Traits((traits,) * 12, 1, 2.0, ()), features)
    assert len(set(found)) == 12
    assert max(len(name.encode()) for name in found) <= MAX_NAME_BYTES
