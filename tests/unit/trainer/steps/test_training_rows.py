from __future__ import annotations

import math

import pytest
from msgspec import structs

from schemas.errors import BadTraining
from tests.support.worlds.trained_shops import features_named, features_table
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_rows import select

TWO = FitSettings(k=2, features=features_named("age", "gender"))


def refusal(rows: list[dict[str, object]], settings: FitSettings = TWO) -> str:
    with pytest.raises(BadTraining) as caught:
        select(features_table(rows), settings)
    return str(caught.value)


def test_buyers_without_a_missing_value_stay_in_the_order_of_their_ids_bytes() -> None:
    table = features_table(
        [
            {"user_id": "é", "age": 1.0},
            {"user_id": "b", "age": 2.0, "gender": "M"},
            {"user_id": "B", "age": 3.0},
            {"user_id": "10", "age": 4.0},
            {"user_id": "9", "age": 5.0},
            {"user_id": "none", "total_orders": None},
            {"user_id": "zero", "total_orders": 0},
            {"user_id": "ageless", "age": None},
            {"user_id": "nan", "age": math.nan},
            {"user_id": "neither", "age": None, "gender": None},
            {"user_id": "unbranded", "age": 6.0, "most_frequent_brand": None},
        ]
    )
    selection = select(table, TWO)
    assert selection.rows.column_names == ["user_id", "age", "gender"]
    assert selection.rows["user_id"].to_pylist() == ["10", "9", "B", "b", "unbranded", "é"]
    assert selection.rows["age"].to_pylist() == [4, 5, 3, 2, 6, 1]
    assert (selection.users_read, selection.users_used, selection.without_orders) == (11, 6, 2)
    assert selection.missing == {"age": 3, "gender": 1}
    assert selection.nulls == {"age": 3, "gender": 1}


def test_a_number_below_0_lacks_a_logarithm() -> None:
    rows: list[dict[str, object]] = [{"age": age} for age in (-1.0, 0.0, 3.0, 4.0, None)]
    log_age = FitSettings(k=2, features=(structs.replace(TWO.features[0], log=True),))
    selection = select(features_table(rows), log_age)
    assert selection.rows["age"].to_pylist() == [0, 3, 4]
    assert (selection.missing, selection.nulls["age"]) == ({"age": 2}, 1)
    assert selection.users_used == 3


def test_no_user_at_all() -> None:
    assert refusal([]) == "no user can be trained on: the warehouse has no users"


def test_no_user_left_says_where_they_went() -> None:
    told = refusal([{"total_orders": None}, {"total_orders": None}, {"age": None}, {"gender": None}])
    assert told == "no user can be trained on, of 4 read: 2 without an order, 1 without age, 1 without gender"


def test_nobody_has_an_order() -> None:
    nobody: dict[str, object] = {
        "total_orders": None,
        "most_frequent_brand": None,
        "most_frequent_category": None,
    }
    assert refusal([nobody, nobody], FitSettings()) == (
        "no user can be trained on, of 2 read: 2 without an order"
    )


def test_features_that_nobody_has_are_named() -> None:
    empty: dict[str, object] = {"age": None, "gender": None}
    assert refusal([empty, empty, empty]) == (
        "no user can be trained on: features age and gender are null for all 3 users read, fill that in the "
        "warehouse or leave it out of the setting features"
    )
    assert "feature age is null for all 1 users read" in refusal([{"age": None}])


def test_one_user() -> None:
    assert refusal([{}, {"total_orders": None}]) == (
        "only 1 user can be trained on, of 2 read, and 2 segments need at least 2"
        " (1 without an order): train when there are more"
    )


def test_fewer_users_than_segments() -> None:
    told = refusal(
        [{"age": float(age)} for age in (1, 2, 3)], FitSettings(k=4, features=features_named("age"))
    )
    assert told == (
        "only 3 users can be trained on, of 3 read, and 4 segments need at least 4 (none was dropped): set k"
        " to 3 or less"
    )


def test_fewer_users_than_the_least_of_the_search() -> None:
    settings = FitSettings(k=None, k_min=3, features=features_named("age"))
    assert "3 segments need at least 3" in refusal([{"age": 1.0}, {"age": 2.0}], settings)


def test_fewer_different_users_than_segments() -> None:
    rows: list[dict[str, object]] = [{"age": 20.0}, {"age": 30.0, "gender": "M"}] * 4
    told = refusal(rows, FitSettings(k=3, features=features_named("age", "gender")))
    assert told == (
        "the 8 training users have only 2 different rows of features, and 3 segments need at least 3: "
        "set k to 2 or less, or add features"
    )


@pytest.mark.parametrize(
    ("constant", "words"), [("country", "feature country is 'Spain'"), ("age", "feature age is 30.0")]
)
def test_a_feature_that_never_varies(constant: str, words: str) -> None:
    rows: list[dict[str, object]] = [{"gender": "F"}, {"gender": "M"}]
    told = refusal(rows, FitSettings(k=2, features=features_named("gender", constant)))
    assert told == (
        f"{words} for all 2 training users: a feature that never varies cannot be scaled, "
        "leave it out of the setting features"
    )
