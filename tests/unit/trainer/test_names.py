from __future__ import annotations

import numpy as np
import pandas as pd

from schemas.features import FEATURE_NAMES
from tests.training import features_table
from trainer.names import name_segments


def frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    table: pd.DataFrame = features_table(rows).to_pandas()
    return table


def names(rows: list[dict[str, object]], labels: list[int]) -> list[str]:
    features = [name for name in FEATURE_NAMES if any(name in row for row in rows)]
    return name_segments(frame(rows), np.array(labels, dtype=np.int32), features)


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
        "Women, Spain, fewer orders",
        "Men, more orders",
    ]


def test_segments_that_nothing_tells_apart_are_numbered() -> None:
    rows: list[dict[str, object]] = [{"age": 20.0}, {"age": 40.0}] * 3
    assert names(rows, [0, 0, 1, 1, 2, 2]) == ["Average", "Average (2)", "Average (3)"]


def test_features_that_the_model_does_not_use_name_nothing() -> None:
    rows: list[dict[str, object]] = [{"gender": "F", "age": 20.0}, {"gender": "M", "age": 40.0}]
    labels = np.array([0, 1], dtype=np.int32)
    assert name_segments(frame(rows), labels, ("age",)) == ["Younger", "Older"]


def test_a_long_value_is_cut() -> None:
    rows: list[dict[str, object]] = [{"country": "x" * 200}, {"country": "y"}]
    assert names(rows, [0, 1]) == ["x" * 29 + "…", "y"]
