from __future__ import annotations

from typing import Any

import pytest

from schemas.errors import BadSetting
from schemas.features import FEATURES
from trainer.steps.fit_settings import FitSettings


def test_the_defaults_are_the_articles() -> None:
    settings = FitSettings()
    assert (settings.encoding, settings.components, settings.k) == ("label", 2, 5)
    assert (settings.k_min, settings.k_max) == (2, 10)
    assert settings.names == (
        "age",
        "gender",
        "country",
        "traffic_source",
        "total_orders",
        "most_frequent_brand",
        "most_frequent_category",
    )
    assert settings.exclude_statuses == ()
    assert (settings.rare, settings.scaling) == (0.0, "standard")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"encoding": "ordinal"}, "setting encoding is 'ordinal': use one of label, frequency, one-hot"),
        ({"scaling": "robust"}, "setting scaling is 'robust': use one of standard, balanced, none"),
        ({"rare": 0.5}, "setting rare is 0.5: use a share of users, at least 0 and below 0.5"),
        ({"rare": -0.1}, "setting rare is -0.1: use a share of users, at least 0 and below 0.5"),
        ({"components": 0}, "setting components is 0: use at least 1"),
        ({"k": 1}, "setting k is 1: use at least 2 segments"),
        ({"k": None, "k_min": 1}, "setting k_min is 1: use at least 2 segments"),
        ({"k_min": 4, "k_max": 3}, "setting k_max is 3: use at least k_min, which is 4"),
        ({"features": ()}, "name at least one feature"),
        ({"features": (FEATURES[0], FEATURES[0])}, "setting features is 'age': name each feature once"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(BadSetting) as caught:
        FitSettings(**values)
    assert message in str(caught.value)
