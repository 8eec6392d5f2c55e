"""Values of declared features for an imagined user."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from schemas.features import FEATURE_NAMES, Feature
from segue.config.command_line import BadUsage
from segue.look.what_if import features_for, parse_declared
from tests.support.worlds.made_up_release import a_release

ORDERS = Feature("orders", "count", "order_id")
SPEND = Feature("spend", "sum", "order_value")


def test_a_count_is_a_whole_number_and_a_sum_is_not() -> None:
    """So what would move the user is a number of orders, too."""
    values = parse_declared(["orders=2.0", "spend=2"], [ORDERS, SPEND])
    assert (values, type(values["orders"]), type(values["spend"])) == (
        {"orders": 2, "spend": 2.0},
        int,
        float,
    )


def test_a_part_of_an_order_is_refused() -> None:
    with pytest.raises(BadUsage, match=r"option --feature is 'orders=1\.5': orders is a whole number"):
        parse_declared(["orders=1.5"], [ORDERS])


def test_a_default_feature_that_the_release_does_not_read_is_refused() -> None:
    release = a_release()
    country = next(feature for feature in release.features if feature.name == "country")
    narrow = replace(release, features=tuple(each for each in release.features if each != country))
    texts = {**dict.fromkeys(FEATURE_NAMES), "country": "PL"}
    assert features_for(release, texts, ())["country"] == "PL"
    read = ", ".join(each.name for each in narrow.features)
    problem = f"option --country is 'PL': release {release.version} does not read it; its features are {read}"
    with pytest.raises(BadUsage, match=re.escape(problem)):
        features_for(narrow, texts, ())
    assert features_for(narrow, {**texts, "country": " "}, ())["country"] is None
