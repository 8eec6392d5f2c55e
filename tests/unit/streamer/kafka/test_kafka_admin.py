"""Questions to a cluster that has only just started."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import NewTopic

from schemas.errors import BadTopics
from segue.connect.group_members import members_of
from streamer.kafka import kafka_admin
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.topics_admin import create_topic


class Starting:
    """An admin client of a cluster that gives these answers, one after the other, to whatever it is asked."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)

    def poll(self, _timeout: float) -> int:
        return 0

    def committed(self, _places: list[TopicPartition], _timeout: float) -> object:
        """Answer as a consumer; an admin client crashes if its group's coordinator has moved."""
        answer = self.answers.pop(0)
        if isinstance(answer, KafkaError):
            raise KafkaException(answer)
        return answer

    def __getattr__(self, _name: str) -> Any:
        return self.ask

    def ask(self, asked: list[Any], **_options: object) -> dict[str, Future[object]]:
        answer, future = self.answers.pop(0), Future[object]()
        if isinstance(answer, KafkaError):
            future.set_exception(KafkaException(answer))
        else:
            future.set_result(answer)
        return dict.fromkeys([asked[0], getattr(asked[0], "topic", None), "group"], future)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Starting:
    starting = Starting()
    monkeypatch.setattr(kafka_admin, "make_client", lambda *_: starting)
    return starting


def error(name: str, text: str = "") -> KafkaError:
    return KafkaError(getattr(KafkaError, name), text)


def test_a_group_s_members_and_offsets_from_a_coordinator_that_still_loads(cluster: Starting) -> None:
    not_yet = [error("COORDINATOR_NOT_AVAILABLE"), error("COORDINATOR_LOAD_IN_PROGRESS")]
    cluster.answers = [*not_yet, SimpleNamespace(members=[1, 2])]
    assert members_of({}, "group", 30) == 2

    orders, signups = TopicPartition("orders", 0, 7), TopicPartition("signups", 0, 9)
    cluster.answers = [*not_yet, error("NOT_COORDINATOR"), [signups, orders]]
    assert Admin({}, 30).committed("group", [signups, orders]) == [orders, signups]


def test_a_topic_is_made_once_the_controller_lets_a_broker_in(cluster: Starting) -> None:
    cluster.answers = [
        error("NOT_CONTROLLER"),
        error(
            "INVALID_REPLICATION_FACTOR",
            "Unable to replicate the partition: All brokers are currently fenced.",
        ),
        None,
    ]
    assert create_topic(Admin({}, 30), NewTopic("orders", 1), 30)


def test_too_few_brokers_for_the_copies_are_not_waited_for(cluster: Starting) -> None:
    cluster.answers = [error("INVALID_REPLICATION_FACTOR", "only 1 broker(s) are registered.")]
    with pytest.raises(BadTopics, match="topic orders cannot be made: only 1 broker"):
        create_topic(Admin({}, 30), NewTopic("orders", 1, 3), 30)


def test_no_admin_client_asks_for_a_group_s_offsets() -> None:
    """librdkafka would end the process if the coordinator has moved; :meth:`Admin.offsets_of` says how."""
    root = Path(__file__).parents[4]
    files = [file for folder in ("segue", "streamer") for file in (root / folder).rglob("*.py")]
    assert len(files) > 100
    assert [file for file in files if "list_consumer_group_offsets" in file.read_text("utf-8")] == []
