"""Users of today against a made-up profile, counted by hand."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from schemas.input_events import Item, Order, Signup
from schemas.release.model_release import FeatureProfile, version_of
from schemas.release.stability_index import psi
from streamer.drift.compare_users import drift_of
from streamer.segment.active_model import ActiveModel
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState
from tests.support.strategies.events import START
from tests.support.worlds.made_up_release import a_release, an_active_model

NOW = datetime(2024, 6, 1, tzinfo=UTC)
RULES = Rules()
PROFILE = (
    FeatureProfile("age", (500, 300, 200), 0.01, ends=(30.0, 50.0)),
    FeatureProfile("most_frequent_brand", (600, 300, 100), 0.01, values=("Carhartt", "Ön")),
)


def model() -> ActiveModel:
    return an_active_model(release=replace(a_release(), profile=PROFILE))


def user(user_id: str, age: int | None, brand: str | None = "Carhartt") -> UserState:
    """A user with every feature but those that are None."""
    signup = Signup(user_id, START, age=age, gender="F", country="Spain", traffic_source="Search")
    state = fold(UserState(user_id), signup, RULES)
    if brand is None:
        return state
    return fold(state, Order(user_id, "1", START, items=(Item(brand, "Jeans"),)), RULES)


def test_users_are_counted_by_bin_and_compared_by_the_index() -> None:
    users = [user(str(n), age) for n, age in enumerate((20, 30, 31, 50, 51))]
    found = drift_of(model(), users, RULES, None, NOW)
    assert found is not None
    age, brand = found.features
    assert (found.users, found.compared, found.provisional) == (5, 5, 0.0)
    assert age.psi == psi((500, 300, 200), [2, 2, 1])
    assert brand.psi == psi((600, 300, 100), [5, 0, 0])
    assert age.threshold == pytest.approx(0.01 * (1 / 5 + 1 / 1000) / (1 / 5000 + 1 / 1000))


def test_who_has_no_order_or_lacks_a_feature_is_not_compared_as_in_training() -> None:
    found = drift_of(model(), [user("1", 20), user("2", None), user("3", 20, None)], RULES, None, NOW)
    assert found is not None
    assert (found.users, found.compared) == (3, 1)
    assert found.provisional == pytest.approx(2 / 3)
    assert found.features[0].absent == found.features[1].absent == pytest.approx(1 / 3)


def test_a_value_that_training_never_saw_is_unseen_and_counts_as_a_value() -> None:
    found = drift_of(model(), [user("1", 20), user("2", 20, "New")], RULES, None, NOW)
    assert found is not None
    brand = found.features[1]
    assert (brand.unseen, brand.absent, found.compared) == (0.5, 0.0, 2)
    assert brand.psi == psi((600, 300, 100), [1, 0, 1])


def test_a_large_shift_is_drift_and_none_is_none() -> None:
    """The ages of 400 users are as in training, or all above 50."""
    same = [user(str(n), 25 if n < 200 else 40 if n < 320 else 60) for n in range(400)]
    shifted = [user(str(n), 60) for n in range(400)]
    for users, drifted in ((same, False), (shifted, True)):
        found = drift_of(model(), users, RULES, None, NOW)
        assert found is not None
        assert found.features[0].drifted is drifted


def test_without_a_profile_or_users_nothing_is_said() -> None:
    assert drift_of(an_active_model(), [user("1", 20)], RULES, None, NOW) is None
    found = drift_of(model(), [], RULES, None, NOW)
    assert found is not None
    assert (found.users, found.drifted, found.features[0].psi) == (0, (), None)


def test_the_profile_is_no_part_of_a_releases_name() -> None:
    assert version_of(replace(a_release(), profile=PROFILE)) == a_release().version


def test_who_has_no_order_is_not_compared_even_if_the_model_reads_no_order() -> None:
    only_age = replace(
        a_release(),
        features=a_release().features[:1],
        mean=(40.0,),
        scale=(20.0,),
        projection_mean=(0.0,),
        projection=((0.3,), (-0.4,)),
        profile=PROFILE[:1],
    )
    found = drift_of(
        an_active_model(release=only_age), [user("1", 20), user("2", 20, None)], RULES, None, NOW
    )
    assert found is not None
    assert (found.users, found.compared, found.provisional) == (2, 1, 0.0)
