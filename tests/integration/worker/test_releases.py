from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, cast

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.errors import BadRelease, BadSetting, Unreachable
from schemas.features import FEATURES
from schemas.outputs.wire import encode_release
from schemas.release.model_release import ModelRelease
from schemas.topics import Topics
from segue.services import KafkaService, LocalKafka
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import Deadlines
from streamer.releases.release_follower import Releases
from streamer.segment.active_model import ActiveModel
from tests.support.checks.read_records import KafkaRecord
from tests.support.servers.services import HANG_S, eventually
from tests.support.servers.topic_admin import create_patiently
from tests.support.worlds.made_up_release import a_release

FIRST = a_release()
SECOND = a_release(centres=((2.0, 0.0), (0.0, 2.0), (-2.0, 0.0), (0.0, -2.0)))
QUICK = Deadlines(request_s=2, check_s=0.2, outage_s=2)


class Publishing:
    """Writes to a `segment-models` of its own, and opens readers of it."""

    def __init__(self, bootstrap: str, prefix: str, stack: ExitStack) -> None:
        self.client = {"bootstrap.servers": bootstrap}
        self.topics = Topics(prefix)
        self._admin = AdminClient({**self.client, "log_level": 0})
        self._stack = stack

    def make(self) -> None:
        config = {"cleanup.policy": "compact"}
        create_patiently(
            self.client["bootstrap.servers"], [NewTopic(self.topics.models, 1, 1, config=config)]
        )
        # Kafka answers before the broker itself knows the topic.
        eventually(lambda: self.topics.models in self._admin.list_topics(timeout=HANG_S).topics)

    def delete(self) -> None:
        self._admin.delete_topics([self.topics.models], request_timeout=HANG_S)[self.topics.models].result(
            HANG_S
        )

    def write(self, *records: tuple[str, bytes | None]) -> int:
        """One transaction; returns the offset of its last record."""
        config = {**self.client, "transactional.id": f"{self.topics.models}-publisher", "log_level": 0}
        producer = Producer(config)
        producer.init_transactions(HANG_S)
        producer.begin_transaction()
        offsets: list[int] = []
        for key, value in records:
            producer.produce(
                self.topics.models,
                value,
                key.encode(),
                on_delivery=lambda _, m: offsets.append(cast(KafkaRecord, m).offset()),
            )
        producer.commit_transaction(HANG_S)
        return offsets[-1]

    def publish(self, release: ModelRelease) -> int:
        value = encode_release(release)
        return self.write((release.version, value), ("current", value))

    def releases(self, **options: Any) -> Releases:
        releases = Releases(self.client, self.topics, FEATURES, deadlines=QUICK, **options)
        self._stack.callback(releases.close)
        return releases


@pytest.fixture
def publishing(kafka: KafkaService, topic_prefix: str) -> Iterator[Publishing]:
    with ExitStack() as stack:
        publishing = Publishing(kafka.bootstrap, topic_prefix, stack)
        publishing.make()
        yield publishing


def version(releases: Releases) -> str | None:
    model = releases.current()
    return None if model is None else model.release.version


def test_start_returns_when_everything_there_is_read(publishing: Publishing) -> None:
    publishing.publish(FIRST)
    activation = publishing.publish(SECOND)
    releases = publishing.releases()

    releases.start()

    model = releases.current()
    assert model is not None
    assert (model.release, model.activation) == (SECOND, activation)
    assert model.topic_id == Admin(publishing.client, 30.0).topic(publishing.topics.models).topic_id
    assert model.scorer.score({}).segment in {0, 1, 2, 3}
    assert releases.known_activation() == activation
    assert releases.problem() is None


def test_only_what_comes_into_use_is_told(publishing: Publishing) -> None:
    publishing.publish(FIRST)
    publishing.publish(SECOND)
    told: list[ActiveModel] = []
    releases = publishing.releases(on_change=told.append)
    releases.start()
    assert [model.release for model in told] == [SECOND]

    publishing.publish(FIRST)
    eventually(lambda: len(told) == 2)
    assert told[1].release == FIRST
    assert told[1] is releases.current()


def test_an_empty_topic_waits_for_a_first_release(publishing: Publishing) -> None:
    releases = publishing.releases()
    releases.start()
    assert releases.current() is None
    assert releases.known_activation() == -1
    assert releases.problem() == "waiting for a first release: run `segue publish`"

    activation = publishing.publish(FIRST)
    eventually(lambda: version(releases) == FIRST.version)
    assert releases.known_activation() == activation
    assert releases.problem() is None


def test_a_missing_topic_is_waited_for(kafka: KafkaService, topic_prefix: str) -> None:
    with ExitStack() as stack:
        publishing = Publishing(kafka.bootstrap, topic_prefix, stack)
        releases = publishing.releases()
        releases.start()
        problem = releases.problem() or ""
        assert problem.startswith(
            f"topic {topic_prefix}segment-models does not exist yet: run `segue publish`"
        )

        publishing.make()
        publishing.publish(FIRST)
        eventually(lambda: version(releases) == FIRST.version)
        assert releases.problem() is None


def _with(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def broken(value: bytes) -> bytes:
        assert value.count(old) >= 1
        return value.replace(old, new, 1)

    return broken


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (_with(b'"schema_version":1', b'"schema_version":99'), "schema version 99"),
        (_with(b'"segment 0"', b'"segment A"'), "was changed: version is"),
        (_with(SECOND.version.encode(), b"0" * 12), "was changed: version is '000000000000'"),
        (_with(b'"mean":[40.0', b'"mean":[41.0'), "was changed: version is"),
        (_with(b'"mean":[40.0', b'"mean":[NaN'), "cannot be read"),
        (_with(b'"mean":[40.0', b'"mean":[1e999'), "mean"),
        (_with(b'"mean":[40.0', b'"mean":["40"'), "mean"),
        (_with(b'"mean":[40.0,', b'"mean":['), "mean"),
        (lambda value: value[:100], "cannot be read"),
        (lambda _: b"", "cannot be read"),
    ],
    ids=["schema", "content", "name", "number", "NaN", "1e999", "text", "short", "cut", "empty"],
)
def test_a_broken_release_is_refused_and_the_old_one_stays(
    publishing: Publishing, broken: Callable[[bytes], bytes], why: str
) -> None:
    publishing.publish(FIRST)
    releases = publishing.releases()
    releases.start()

    activation = publishing.write(("current", broken(encode_release(SECOND))))
    eventually(lambda: releases.known_activation() == activation)

    assert version(releases) == FIRST.version
    problem = releases.problem() or ""
    assert problem.startswith("the newest release is refused: ")
    assert why in problem
    assert "\n" not in problem

    publishing.publish(SECOND)
    eventually(lambda: version(releases) == SECOND.version)
    assert releases.problem() is None


def test_a_null_under_current_is_ignored(publishing: Publishing) -> None:
    activation = publishing.publish(FIRST)
    releases = publishing.releases()
    releases.start()
    publishing.write(("current", None), (SECOND.version, encode_release(SECOND)))
    eventually(lambda: releases.release_by_version(SECOND.version))
    assert version(releases) == FIRST.version
    assert releases.known_activation() == activation
    assert releases.problem() is None


def test_a_release_is_found_by_its_version(publishing: Publishing) -> None:
    publishing.publish(FIRST)
    publishing.publish(SECOND)
    publishing.write(("broken", b"{"))
    releases = publishing.releases()
    releases.start()
    assert releases.release_by_version(FIRST.version) == FIRST
    assert releases.release_by_version(SECOND.version) == SECOND
    assert releases.release_by_version("never published") is None
    with pytest.raises(BadRelease, match="cannot be read"):
        releases.release_by_version("broken")


def test_the_bootstrap_record_stands(publishing: Publishing) -> None:
    releases = publishing.releases()
    releases.start()
    assert releases.bootstrap_standing() is None
    publishing.write(("bootstrap", b'{"at": "2024-05-01T00:00:00Z", "places": {"0": {"signups": 4}}}'))
    standing = eventually(releases.bootstrap_standing)
    assert (standing.at, standing.places, standing.snapshot) == (
        "2024-05-01T00:00:00Z",
        {"0": {"signups": 4}},
        None,
    )


def test_what_a_publisher_did_not_commit_is_not_used(publishing: Publishing) -> None:
    publishing.publish(FIRST)
    releases = publishing.releases()
    releases.start()
    config = {
        **publishing.client,
        "transactional.id": f"{publishing.topics.models}-publisher",
        "log_level": 0,
    }
    producer = Producer(config)
    producer.init_transactions(HANG_S)
    producer.begin_transaction()
    producer.produce(publishing.topics.models, encode_release(SECOND), b"current")
    producer.flush(HANG_S)
    producer.abort_transaction(HANG_S)

    last = publishing.write(("bootstrap", b'{"at": "x", "places": {}}'))
    assert last > 0
    eventually(releases.bootstrap_standing)
    assert version(releases) == FIRST.version


def test_a_topic_made_anew_is_read_from_its_beginning(publishing: Publishing) -> None:
    for _ in range(3):
        publishing.publish(FIRST)
    releases = publishing.releases()
    releases.start()
    before = releases.current()
    assert before is not None

    publishing.delete()
    publishing.make()
    activation = publishing.publish(SECOND)

    eventually(lambda: version(releases) == SECOND.version)
    after = releases.current()
    assert after is not None
    assert after.topic_id != before.topic_id
    assert (after.activation, releases.known_activation()) == (activation, activation)


def test_nobody_there_is_unreachable(topic_prefix: str) -> None:
    with ExitStack() as stack:
        releases = Publishing("127.0.0.1:1", topic_prefix, stack).releases()
        with pytest.raises(Unreachable, match=r"Kafka at 127\.0\.0\.1:1 .*Connection refused"):
            releases.start()


def test_settings_that_librdkafka_refuses_are_told_at_the_start(topic_prefix: str) -> None:
    with ExitStack() as stack:
        publishing = Publishing("127.0.0.1:1", topic_prefix, stack)
        publishing.client["sasl.passwort"] = "hush"
        with pytest.raises(BadSetting, match="No such configuration property"):
            publishing.releases().start()


def test_closing_ends_the_thread(publishing: Publishing) -> None:
    releases = publishing.releases()
    releases.close()
    second = publishing.releases()
    second.start()
    second.close()
    assert "releases" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.long
def test_a_broker_that_is_lost_is_waited_for(
    fresh_kafka: Callable[..., LocalKafka], topic_prefix: str
) -> None:
    broker = fresh_kafka()
    with ExitStack() as stack:
        publishing = Publishing(broker.bootstrap, topic_prefix, stack)
        publishing.make()
        publishing.publish(FIRST)
        told: list[ActiveModel] = []
        releases = publishing.releases(on_change=told.append)
        releases.start()

        broker.kill()
        eventually(lambda: f"Kafka at {broker.bootstrap} did not answer" in (releases.problem() or ""))
        assert version(releases) == FIRST.version
        broker.start()
        publishing.publish(SECOND)

        eventually(lambda: version(releases) == SECOND.version)
        eventually(lambda: releases.problem() is None)
        assert [model.release for model in told] == [FIRST, SECOND]
