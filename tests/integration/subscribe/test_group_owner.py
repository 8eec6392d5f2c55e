"""Nobody subscribes in a group of Segue's own, whatever the group's name."""

from __future__ import annotations

from contextlib import closing

import pytest
from confluent_kafka import Consumer, TopicPartition

from schemas.errors import BadSetting
from segue.cli.main import run
from segue.services import KafkaService
from segue.subscribe.change_feed import ChangeFeed
from segue.subscribe.group_owner import note_of
from segue.subscribe.subscription import Subscription
from streamer.kafka.kafka_admin import Admin
from tests.support.servers.deployment import Deployment
from tests.support.servers.services import HANG_S
from tests.support.workers.change_writer import ChangeWriter


@pytest.fixture
def writer(kafka: KafkaService, topic_prefix: str) -> ChangeWriter:
    return ChangeWriter(kafka.bootstrap, topic_prefix)


def commit(writer: ChangeWriter, group: str, topic: str, metadata: str) -> None:
    """Commit an offset as a program of this group does."""
    with closing(Consumer({"bootstrap.servers": writer.bootstrap, "group.id": group})) as consumer:
        consumer.commit(offsets=[TopicPartition(topic, 0, 0, metadata)], asynchronous=False)


def refusal(bootstrap: str, prefix: str, group: str) -> str:
    with pytest.raises(BadSetting) as caught:
        ChangeFeed(Subscription(bootstrap, topic_prefix=prefix, group=group)).close()
    return str(caught.value)


def test_a_group_of_workers_is_known_before_the_first_event(deployment: Deployment) -> None:
    group, signups = deployment.environment["SEGUE_GROUP"], deployment.topics.signups
    deployment.worker().ready()
    assert refusal(deployment.bootstrap, deployment.topics.prefix, group) == (
        f"setting group is {group!r}: this group reads {signups}, as the workers do: name another"
    )


def test_a_group_of_workers_is_known_while_none_runs(writer: ChangeWriter) -> None:
    group, orders = f"{writer.topics.prefix}g", writer.topics.orders
    commit(writer, group, orders, "an-id")
    assert refusal(writer.bootstrap, writer.topics.prefix, group) == (
        f"setting group is {group!r}: this group reads {orders}, as the workers do: name another"
    )


def test_a_group_of_triggers_is_known(
    writer: ChangeWriter, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    group, prefix = f"{writer.topics.prefix}g", writer.topics.prefix
    commit(writer, group, writer.topics.changes, "an-id")
    assert "this is the group of `segue triggers run`: name another" in refusal(
        writer.bootstrap, prefix, group
    )
    monkeypatch.delenv("SEGUE_CONFIG", raising=False)
    where = ("--kafka", writer.bootstrap, "--topic-prefix", prefix)
    assert run(["tail", *where, "--group", group]) == 2
    told = capsys.readouterr().err
    assert (
        told
        == f"Error: option --group is '{group}': this is the group of `segue triggers run`: name another\n"
    )


@pytest.mark.parametrize("states_due", [None, False, True])
def test_a_group_of_subscribers_may_be_joined(writer: ChangeWriter, states_due: bool | None) -> None:
    group, topic = f"{writer.topics.prefix}g", writer.topics.changes
    (facts,) = Admin({"bootstrap.servers": writer.bootstrap}, HANG_S).describe([topic]).values()
    commit(
        writer,
        group,
        topic,
        "" if states_due is None else note_of(facts.topic_id, states_due=states_due),
    )
    subscription = Subscription(writer.bootstrap, topic_prefix=writer.topics.prefix, group=group)
    with closing(ChangeFeed(subscription)) as one, closing(ChangeFeed(subscription)) as other:
        assert one.take(0.1) is None
        assert other.take(0.1) is None
