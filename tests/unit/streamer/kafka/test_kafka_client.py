"""Which of Kafka's errors are asked again after, and which end a question at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException

from schemas.errors import LoginRefused, Unreachable
from streamer.kafka.kafka_client import Reports, answered, is_unsettled, unreachable

CLIENT = {"bootstrap.servers": "k:1"}
# What a broker says that has only just started, or that a moment ago took a topic over.
STARTING = (
    "COORDINATOR_LOAD_IN_PROGRESS",
    "COORDINATOR_NOT_AVAILABLE",
    "NOT_COORDINATOR",
    "LEADER_NOT_AVAILABLE",
    "NOT_LEADER_FOR_PARTITION",
    "NOT_CONTROLLER",
    "REQUEST_TIMED_OUT",
    "BROKER_NOT_AVAILABLE",
    "REPLICA_NOT_AVAILABLE",
    "UNSTABLE_OFFSET_COMMIT",
    "_ALL_BROKERS_DOWN",
    "_TIMED_OUT",
    "_TRANSPORT",
    "_RESOLVE",
    "_WAIT_COORD",
)


def error(name: str) -> KafkaError:
    return KafkaError(getattr(KafkaError, name))


def question(*names: str) -> tuple[Callable[[], str], list[str]]:
    """Fails so, then answers; and the errors that are left."""
    left = list(names)

    def ask() -> str:
        if left:
            raise KafkaException(error(left.pop(0)))
        return "answer"

    return ask, left


@pytest.mark.parametrize("name", STARTING)
def test_a_broker_that_has_only_just_started_is_asked_again(name: str) -> None:
    ask, _ = question(name, name)
    assert answered(ask, 30) == "answer"


def test_the_deadline_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ask, left = question("NOT_COORDINATOR", "NOT_COORDINATOR")
    with pytest.raises(KafkaException):
        answered(ask, 0)
    assert len(left) == 1


@pytest.mark.parametrize("name", ["GROUP_AUTHORIZATION_FAILED", "INVALID_CONFIG", "UNKNOWN_TOPIC_OR_PART"])
def test_an_answer_that_will_not_change_is_not_asked_for_again(name: str) -> None:
    ask, left = question(name, name)
    with pytest.raises(KafkaException):
        answered(ask, 30)
    assert len(left) == 1


def test_a_topic_just_made_is_asked_for_again_by_who_knows_of_it() -> None:
    ask, _ = question("UNKNOWN_TOPIC_OR_PART")
    assert answered(ask, 30, is_unsettled) == "answer"


@pytest.mark.parametrize(
    ("reported", "answer", "kind"),
    [
        ("_AUTHENTICATION", None, LoginRefused),
        ("_AUTHENTICATION", "_TIMED_OUT", LoginRefused),
        ("_TRANSPORT", "GROUP_AUTHORIZATION_FAILED", LoginRefused),
        ("_AUTHENTICATION", "NOT_COORDINATOR", Unreachable),
        ("_TRANSPORT", "_TIMED_OUT", Unreachable),
    ],
)
def test_a_login_that_is_refused_is_told_from_silence(
    reported: str, answer: str | None, kind: type[Unreachable]
) -> None:
    reports = Reports()
    reports(error(reported))
    assert type(unreachable(CLIENT, "answer", reports, (answer and error(answer)) or None)) is kind
