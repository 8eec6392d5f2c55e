"""What doctor says of a comparison with the training users."""

from datetime import UTC, datetime

import pytest

from segue.doctor.check import OK, WARN
from segue.doctor.on_drift import drift_check, verdict_of
from streamer.status.drift_status import DriftStatus, FeatureDrift

AGE = FeatureDrift("age", 0.01, 0.1, 0.0, 0.0)
OLDER = FeatureDrift("age", 0.312, 0.1, 0.0, 0.0)
NEW_BRANDS = FeatureDrift("most_frequent_brand", 0.02, 0.1, 0.0, 0.07)


@pytest.mark.parametrize(
    ("features", "state", "text"),
    [
        ((AGE,), OK, "the users are as in training: 400 users compared; 20% are provisional"),
        (
            (OLDER, NEW_BRANDS),
            WARN,
            (
                "not as in training: age (PSI 0.31, threshold 0.10); values that training never saw:"
                " most_frequent_brand (7% of the users); 400 users compared; 20% are provisional"
            ),
        ),
    ],
)
def test_drift_is_advice_to_retrain(features: tuple[FeatureDrift, ...], state: str, text: str) -> None:
    check = drift_check("v1", DriftStatus("v1", 3, datetime.now(UTC), 500, 400, 0.2, features))
    assert (check.state, check.text) == (state, text)
    assert (check.fix is None) is (state == OK)


def test_nobody_to_compare_is_no_drift() -> None:
    nobody = FeatureDrift("age", None, None, 1.0, 0.0)
    check = drift_check("v1", DriftStatus("v1", 3, datetime.now(UTC), 3, 0, 1.0, (nobody,)))
    assert check.state == OK
    assert "no user to compare" in check.text


@pytest.mark.parametrize(
    ("feature", "verdict"),
    [
        (AGE, "as in training"),
        (OLDER, "not as in training"),
        (NEW_BRANDS, "values that training never saw"),
        (
            FeatureDrift("age", 0.2, 0.1, 0.0, 0.06),
            "not as in training; values that training never saw",
        ),
        (FeatureDrift("age", None, None, 1.0, 0.2), "not compared"),
    ],
)
def test_each_feature_has_a_verdict_in_the_same_words(feature: FeatureDrift, verdict: str) -> None:
    assert verdict_of(feature) == verdict


def test_a_release_without_a_profile_is_said() -> None:
    check = drift_check("v1", None)
    assert (check.state, check.fix) == (OK, None)
    assert check.text == "release v1 does not say how its training users were spread"
