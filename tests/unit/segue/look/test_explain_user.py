"""The message where a user's score cannot be explained."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import pytest

from schemas.errors import Unreachable
from schemas.outputs.segment_change import FeatureValue
from segue.config.settings import Settings
from segue.look import explain_user
from segue.show.user_card import UserCard
from tests.support.worlds.made_up_release import an_active_model

CARD = UserCard(
    user_id="7",
    features={},
    components=(0.5, 0.5),
    space="another",
    segment=0,
    segment_name="men",
    provisional=False,
    missing=(),
    model_version="ab12",
)


def said(monkeypatch: pytest.MonkeyPatch, card: UserCard, **releases: object) -> str | None:
    monkeypatch.setattr(explain_user, "read_releases", Mock(**releases))
    told, sentence = explain_user.explain(card, Settings(), lambda: explain_user.model_in_use(Settings()))
    assert (told.score is None) == (sentence is not None)
    return sentence


def test_a_kafka_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Unreachable("Kafka at 127.0.0.1:1 does not answer")
    assert said(monkeypatch, CARD, side_effect=silent) == (
        "distance, margin and similar users are left out: Kafka at 127.0.0.1:1 does not answer"
    )


def test_no_release_and_another_one_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    model = an_active_model()
    version = model.release.version
    nothing = Mock(**{"current.return_value": None, "known_activation.return_value": -1})
    current = Mock(**{"current.return_value": model})

    assert str(said(monkeypatch, CARD, return_value=nothing)).endswith("left out: no release is in use")
    assert said(monkeypatch, CARD, return_value=current) == (
        "distance, margin and similar users are left out: release ab12 has decided this user, and "
        f"{version} is in use"
    )
    assert said(monkeypatch, replace(CARD, model_version=version), return_value=current) is None


def test_a_refused_release_is_said_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Mock(
        **{
            "current.return_value": None,
            "known_activation.return_value": 3,
            "problem.return_value": "the newest release is refused: release 'ab12' was trained elsewhere",
        }
    )
    assert said(monkeypatch, CARD, return_value=refused) == (
        "distance, margin and similar users are left out: the newest release is refused: release 'ab12' was"
        " trained elsewhere"
    )


def test_a_decision_without_facts_is_not_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The features are all missing, so a score would be that of the training mean."""
    model = an_active_model()
    current = Mock(**{"current.return_value": model})
    card = replace(CARD, model_version=model.release.version, components=None, space=None)
    assert str(said(monkeypatch, card, return_value=current)).startswith(
        "distance, margin and similar users are left out: Redis holds no signup and no order of this user"
    )


def test_the_components_of_a_card_are_those_of_its_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """With features of time, the stored components are of an earlier day than the features."""
    model = an_active_model()
    features: dict[str, FeatureValue] = {feature.name: None for feature in model.release.features}
    features |= {"age": 30, "total_orders": 2}
    card = replace(
        CARD, features=features, space=model.release.space, model_version=model.release.version, segment=0
    )
    monkeypatch.setattr(explain_user, "find_similar_users", Mock(return_value=()))

    shown, _ = explain_user.explain(card, Settings(), lambda: model)

    score = model.scorer.score(features, 0, 0.0)
    assert score.components != CARD.components
    assert (shown.components, shown.score) == (score.components, score)
