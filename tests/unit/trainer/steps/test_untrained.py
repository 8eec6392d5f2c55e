from __future__ import annotations

import json
from typing import Any

from trainer.steps.untrained import untrained_in


def told(**users: Any) -> list[str]:
    everybody = {"read": 300, "used": 300, "without_orders": 0, "missing": {}, "unseen": {}, "nulls": {}}
    return list(untrained_in(json.dumps({"users": everybody | users}).encode()))


def test_nothing_is_said_where_everybody_trained() -> None:
    assert told() == []


def test_each_reason_is_named_with_its_users() -> None:
    missing = {"age": 0, "gender": 12, "country": 3}
    (sentence,) = told(used=280, without_orders=4, missing=missing, unseen={"traffic_source": 2})
    assert sentence == (
        "20 of 300 users were not trained on: 4 without an order, 12 without gender, 3 without country, 2 "
        "with a traffic_source new to the kept space (a user may have several reasons)"
    )


def test_fewer_than_half_is_warned_of() -> None:
    assert told(used=150, without_orders=150) == [
        "150 of 300 users were not trained on: 150 without an order"
    ]
    few = "fewer than half of the users were trained on, 49.7%: "
    assert told(used=149, without_orders=151)[1] == (
        f"{few}most have no order yet, and only users with an order make the segments"
    )
    assert told(used=149, without_orders=150, missing={"age": 1})[1].startswith(f"{few}fill in the missing")


def test_one_user_is_one_user() -> None:
    assert told(read=60, used=59, missing={"age": 1}) == ["1 of 60 users was not trained on: 1 without age"]
