"""A release on its way to Kafka: one transaction, both keys, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from schemas.errors import BadRelease, BadSetting, BadTopics, Refused, Unreachable
from schemas.outputs.wire import decode_release
from schemas.topics import Topics
from segue.services import KafkaService
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_writer import Writer
from tests.support.checks.read_records import headers_of, read_topic, value_of
from tests.support.servers.publishing import models_topic, publish
from tests.support.servers.services import HANG_S
from tests.support.worlds.trained_shops import a_trained_folder
from trainer.publish.publish_release import carry_out, plan_publish
from trainer.publish.release_history import published
from trainer.release.release_folder import load_release

AT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_trained_folder(tmp_path_factory.mktemp("releases"))


@pytest.fixture
def topics(topic_prefix: str) -> Topics:
    return Topics(topic_prefix)


def make_topic(kafka: KafkaService, topic: NewTopic) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.create_topics([topic], request_timeout=HANG_S)[topic.topic].result(HANG_S)


def test_both_keys_hold_the_release_and_the_activation_is_the_offset_of_current(
    kafka: KafkaService, topics: Topics, folder: Path
) -> None:
    release = load_release(folder)

    activation = publish(folder, kafka.bootstrap, topics, at=AT)

    found = read_topic(kafka.bootstrap, topics.models)
    assert [(m.key(), m.offset()) for m in found] == [(release.version.encode(), 0), (b"current", 1)]
    assert [decode_release(value_of(m)) for m in found] == [release, release]
    assert activation == 1
    headers = headers_of(found[1])
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_type"] == b"segue.model.activated"
    assert headers["ce_subject"] == release.version.encode()
    assert headers["ce_time"] == b"2024-05-06T07:08:09Z"
    assert headers["ce_source"] == f"/segue/{topics.prefix}".encode()


def test_publishing_again_is_a_later_activation(kafka: KafkaService, topics: Topics, folder: Path) -> None:
    first = publish(folder, kafka.bootstrap, topics)
    second = publish(folder, kafka.bootstrap, topics)
    # Two records and the transaction's marker lie between them.
    assert (first, second) == (1, 4)
    assert [m.offset() for m in read_topic(kafka.bootstrap, topics.models) if m.key() == b"current"] == [1, 4]


def test_a_release_is_readable_once_it_is_published(
    kafka: KafkaService, topics: Topics, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka answers a commit before readers see it; until then the topic ends where it did before."""
    late: list[int] = []
    stable_end, commit = Admin.stable_end, Writer.commit

    def committed(self: Writer, *args: Any) -> dict[str, int]:
        late.extend([0, 0])
        return commit(self, *args)

    monkeypatch.setattr(Writer, "commit", committed)
    monkeypatch.setattr(Admin, "stable_end", lambda *args: late.pop() if late else stable_end(*args))

    publish(folder, kafka.bootstrap, topics)

    assert len(models_topic(kafka.bootstrap, topics).read()) == 2


def test_the_topic_is_made_compacted_with_one_partition(
    kafka: KafkaService, topics: Topics, folder: Path
) -> None:
    publish(folder, kafka.bootstrap, topics)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    assert len(admin.list_topics(topics.models, timeout=HANG_S).topics[topics.models].partitions) == 1
    resource = ConfigResource(ConfigResource.Type.TOPIC, topics.models)
    config = admin.describe_configs([resource], request_timeout=HANG_S)[resource].result(HANG_S)
    assert config["cleanup.policy"].value == "compact"
    assert config["max.message.bytes"].value == "5242880"


def test_a_damaged_folder_publishes_nothing(kafka: KafkaService, topics: Topics, tmp_path: Path) -> None:
    folder = a_trained_folder(tmp_path)
    (folder / "report.json").write_text("{}")
    with pytest.raises(BadRelease, match=r"report\.json was changed"):
        publish(folder, kafka.bootstrap, topics)
    assert (
        topics.models
        not in AdminClient({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=HANG_S).topics
    )


def test_a_topic_with_two_partitions_is_refused(kafka: KafkaService, topics: Topics, folder: Path) -> None:
    make_topic(kafka, NewTopic(topics.models, 2, config={"cleanup.policy": "compact"}))
    with pytest.raises(BadTopics, match="has 2 partitions"):
        publish(folder, kafka.bootstrap, topics)
    assert read_topic(kafka.bootstrap, topics.models, isolation="read_uncommitted") == []


def test_a_topic_that_deletes_releases_is_refused(kafka: KafkaService, topics: Topics, folder: Path) -> None:
    make_topic(kafka, NewTopic(topics.models, 1, config={"cleanup.policy": "delete"}))
    with pytest.raises(BadTopics, match=r"cleanup\.policy delete"):
        publish(folder, kafka.bootstrap, topics)


def test_a_record_too_large_for_the_topic_names_the_setting(
    kafka: KafkaService, topics: Topics, folder: Path
) -> None:
    make_topic(
        kafka, NewTopic(topics.models, 1, config={"cleanup.policy": "compact", "max.message.bytes": "500"})
    )
    with pytest.raises(
        BadTopics, match=r"max\.message\.bytes 500, which would refuse large records: set it to 5242880"
    ):
        publish(folder, kafka.bootstrap, topics)
    assert read_topic(kafka.bootstrap, topics.models) == []


def test_a_release_too_large_for_any_topic_is_refused_before_it_is_sent(
    kafka: KafkaService, topics: Topics
) -> None:
    topic = models_topic(kafka.bootstrap, topics)
    topic.ensure()
    with pytest.raises(BadRelease, match="has 5,238,785 bytes, and a record at most 5,238,784"):
        topic.write([("current", b"x" * 5_238_785, ())])
    assert topic.write([("current", b"x" * 5_238_784, ())]) == 0


def test_a_publisher_that_stopped_half_way_is_fenced_and_leaves_nothing(
    kafka: KafkaService, topics: Topics, folder: Path
) -> None:
    models_topic(kafka.bootstrap, topics).ensure()
    stopped = Producer(
        {"bootstrap.servers": kafka.bootstrap, "transactional.id": f"{topics.models}-publisher"}
    )
    stopped.init_transactions(HANG_S)
    stopped.begin_transaction()
    stopped.produce(topics.models, b"half", b"current")
    stopped.flush(HANG_S)

    activation = publish(folder, kafka.bootstrap, topics)

    assert [m.offset() for m in read_topic(kafka.bootstrap, topics.models) if m.key() == b"current"] == [
        activation
    ]
    assert b"half" in [
        m.value() for m in read_topic(kafka.bootstrap, topics.models, isolation="read_uncommitted")
    ]


def test_one_that_publishes_is_fenced_by_another_that_begins(
    kafka: KafkaService, topics: Topics, folder: Path
) -> None:
    """Between the check and the commit of one, the other takes over."""
    topic = models_topic(kafka.bootstrap, topics)
    topic.ensure()
    other = Producer(
        {
            "bootstrap.servers": kafka.bootstrap,
            "transactional.id": f"{topics.models}-publisher",
            "log_level": 0,
        }
    )

    with pytest.raises(Unreachable, match=r"another publisher .* took over: nothing was published here"):
        topic.write([("a", b"1", ()), ("current", b"1", ())], lambda: other.init_transactions(HANG_S))
    assert read_topic(kafka.bootstrap, topics.models) == []
    assert publish(folder, kafka.bootstrap, topics) == read_topic(kafka.bootstrap, topics.models)[-1].offset()


def test_one_that_was_overtaken_before_it_wrote_is_refused(
    kafka: KafkaService, topics: Topics, folder: Path
) -> None:
    topic = models_topic(kafka.bootstrap, topics)
    plan = plan_publish(folder, topic)
    activation = publish(folder, kafka.bootstrap, topics)

    with pytest.raises(
        BadRelease, match=r"another release became current while .* nothing was published here"
    ):
        carry_out(plan, topic, topics)
    assert [m.offset() for m in read_topic(kafka.bootstrap, topics.models) if m.key() == b"current"] == [
        activation
    ]


def test_a_plan_writes_nothing_and_makes_no_topic(kafka: KafkaService, topics: Topics, folder: Path) -> None:
    plan = plan_publish(folder, models_topic(kafka.bootstrap, topics))
    assert (plan.release, plan.impact, plan.refusal) == (load_release(folder), None, None)
    there = AdminClient({"bootstrap.servers": kafka.bootstrap}).list_topics(timeout=HANG_S).topics
    assert topics.models not in there


def test_an_open_transaction_hides_nothing_that_is_committed(
    kafka: KafkaService, topics: Topics, folder: Path
) -> None:
    topic = models_topic(kafka.bootstrap, topics)
    activation = publish(folder, kafka.bootstrap, topics)
    bystander = Producer(
        {"bootstrap.servers": kafka.bootstrap, "transactional.id": f"{topics.models}-open", "log_level": 0}
    )
    bystander.init_transactions(HANG_S)
    bystander.begin_transaction()
    bystander.produce(topics.models, b"half", b"half")
    bystander.flush(HANG_S)

    known = published(topic.read())
    bystander.abort_transaction(HANG_S)
    assert (known.activation, known.problem) == (activation, None)


def test_a_current_record_that_cannot_be_read_is_replaced_by_force(
    kafka: KafkaService, topics: Topics, folder: Path
) -> None:
    topic = models_topic(kafka.bootstrap, topics)
    topic.ensure()
    topic.write([("current", b"{}", ())])
    with pytest.raises(Refused, match="the current release cannot be read"):
        publish(folder, kafka.bootstrap, topics)
    activation = publish(folder, kafka.bootstrap, topics, force=True)
    assert published(topic.read()).activation == activation


def test_the_folder_is_copied_and_its_place_travels_with_the_release(
    kafka: KafkaService, topics: Topics, folder: Path, tmp_path: Path
) -> None:
    publish(folder, kafka.bootstrap, topics, to=str(tmp_path / "store"))

    (first, current) = read_topic(kafka.bootstrap, topics.models)
    uri = decode_release(value_of(current)).artifacts_uri
    assert uri == f"file://{tmp_path}/store/{folder.name}"
    assert first.value() == current.value()
    copied = tmp_path / "store" / folder.name
    assert load_release(copied) == load_release(folder)
    assert sorted(path.name for path in copied.iterdir()) == sorted(path.name for path in folder.iterdir())


def test_a_store_by_url(kafka: KafkaService, topics: Topics, folder: Path) -> None:
    publish(folder, kafka.bootstrap, topics, to="memory://shop/releases/")
    uri = decode_release(value_of(read_topic(kafka.bootstrap, topics.models)[-1])).artifacts_uri
    assert uri == f"memory://shop/releases/{folder.name}"
    with fsspec.open(f"{uri}/model.json", "rb") as file:
        assert file.read() == (folder / "model.json").read_bytes()


def test_a_store_that_cannot_be_written_to_publishes_nothing(
    kafka: KafkaService, topics: Topics, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unreachable, match="nothing was published"):
        publish(folder, kafka.bootstrap, topics, to=str(tmp_path / "file" / "below"))
    with pytest.raises(BadSetting, match="setting to is 'nonsense://x'"):
        publish(folder, kafka.bootstrap, topics, to="nonsense://x")
    assert read_topic(kafka.bootstrap, topics.models, isolation="read_uncommitted") == []
