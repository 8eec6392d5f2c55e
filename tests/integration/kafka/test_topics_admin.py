from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.errors import BadTopics, Unreachable
from schemas.topics import Topics, trigger_topic_configs
from segue.services import KafkaService
from streamer.kafka import topics_admin
from streamer.kafka.kafka_admin import Admin, TopicFacts
from tests.support.servers.services import HANG_S, eventually
from tests.support.servers.topic_admin import create_patiently

NOBODY = {"bootstrap.servers": "127.0.0.1:1"}


@pytest.fixture
def client(kafka: KafkaService) -> dict[str, str]:
    return {"bootstrap.servers": kafka.bootstrap}


@pytest.fixture
def topics(topic_prefix: str) -> Topics:
    return Topics(topic_prefix)


def described(client: dict[str, str], names: list[str]) -> dict[str, TopicFacts]:
    """Those of these topics that exist; a topic made anew has another id."""
    return Admin(client, 30.0).describe(names)


def make(client: dict[str, str], name: str, partitions: int, **config: str) -> None:
    """Make one topic by hand, before Segue makes the others."""
    settings = {key.replace("_", "."): value for key, value in config.items()}
    create_patiently(client["bootstrap.servers"], [NewTopic(name, partitions, 1, config=settings)])
    eventually(lambda: name in described(client, [name]))


def test_topics_made_are_topics_that_fit(client: dict[str, str], topics: Topics) -> None:
    made = topics_admin.create_topics(client, topics, 3)
    assert made == sorted([*topics.laned, topics.dead_letters, topics.models])
    assert topics_admin.check_topics(client, topics) == 3


def test_topics_that_another_has_only_just_made_are_waited_for(
    client: dict[str, str], topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where workers begin at once: the controller has made a topic, and the broker knows it much later."""
    make(client, topics.orders, 3)
    describe, hidden = Admin.describe, iter([topics.orders] * 40)

    def later(admin: Admin, names: list[str]) -> dict[str, TopicFacts]:
        unknown = next(hidden, None)
        return describe(admin, [name for name in names if name != unknown])

    monkeypatch.setattr(Admin, "describe", later)
    made = topics_admin.create_topics(client, topics, 3)
    assert topics.orders not in made
    assert topics_admin.check_topics(client, topics) == 3


def bomb(client: dict[str, str], topic: str) -> tuple[int, list[KafkaError | None]]:
    """Sends a batch that is small, and inflates to 60 MB; gives what became of its records."""
    told: list[KafkaError | None] = []
    wide = {"message.max.bytes": 100_000_000, "batch.size": 100_000_000, "linger.ms": 1_000}
    producer = Producer({**client, **wide, "compression.type": "gzip"})
    for _ in range(60):
        producer.produce(topic, bytes(1_000_000), b"7", 0, on_delivery=lambda error, _: told.append(error))
    producer.flush(HANG_S)
    return len(told), [error for error in told if error is not None]


def test_a_batch_that_inflates_beyond_a_record_is_refused_and_never_reaches_a_worker(
    client: dict[str, str], topics: Topics
) -> None:
    make(client, topics.signups, 1, compression_type="producer")
    topics_admin.create_topics(client, topics, 1)

    sent, refused = bomb(client, topics.orders)
    assert len(refused) == sent == 60
    assert {error.code() for error in refused if error is not None} == {KafkaError.MSG_SIZE_TOO_LARGE}
    assert topics_admin.inflating(client, topics).keys() == {topics.signups}

    # What is compressed and no larger than a record may be comes in as ever.
    producer = Producer({**client, "compression.type": "gzip"})
    errors: list[KafkaError | None] = []
    producer.produce(
        topics.orders, bytes(900_000), b"7", 0, on_delivery=lambda error, _: errors.append(error)
    )
    producer.flush(HANG_S)
    assert errors == [None]


def test_making_them_again_makes_what_is_missing(client: dict[str, str], topics: Topics) -> None:
    make(client, topics.orders, 2)
    before = described(client, [topics.orders])

    made = topics_admin.create_topics(client, topics, 2)
    assert topics.orders not in made
    assert len(made) == 5
    assert topics_admin.create_topics(client, topics, 7) == []

    assert topics_admin.check_topics(client, topics) == 2
    assert described(client, [topics.orders]) == before


def test_releases_have_one_partition_and_dead_letters_as_many_as_the_lanes(
    client: dict[str, str], topics: Topics
) -> None:
    topics_admin.create_topics(client, topics, 3)
    listed = AdminClient({**client}).list_topics(timeout=HANG_S).topics
    assert len(listed[topics.models].partitions) == 1
    assert len(listed[topics.dead_letters].partitions) == 3


def test_unequal_counts_name_both_topics_and_counts(client: dict[str, str], topics: Topics) -> None:
    make(client, topics.changes, 5)
    topics_admin.create_topics(client, topics, 3)
    expected = f"topic {topics.signups} has 3 partitions and {topics.changes} has 5: .* equal counts"
    with pytest.raises(BadTopics, match=expected):
        topics_admin.check_topics(client, topics)


def test_missing_topics_are_named_all_at_once(client: dict[str, str], topics: Topics) -> None:
    make(client, topics.signups, 3)
    absent = f"{topics.orders}, {topics.changes}, {topics.users}, {topics.dead_letters}"
    with pytest.raises(BadTopics, match=f"topics {absent} do not exist: `segue worker`.*topic_prefix"):
        topics_admin.check_topics(client, topics)


def test_the_releases_topic_may_still_be_missing(client: dict[str, str], topics: Topics) -> None:
    topics_admin.create_topics(client, topics, 2)
    admin = AdminClient({**client})
    admin.delete_topics([topics.models], request_timeout=HANG_S)[topics.models].result(HANG_S)
    eventually(lambda: not described(client, [topics.models]))
    assert topics_admin.check_topics(client, topics) == 2


def test_releases_in_several_partitions_have_no_order(client: dict[str, str], topics: Topics) -> None:
    make(client, topics.models, 2, cleanup_policy="compact")
    topics_admin.create_topics(client, topics, 2)
    with pytest.raises(BadTopics, match=f"topic {topics.models} has 2 partitions"):
        topics_admin.check_topics(client, topics)


@pytest.mark.parametrize(
    ("name", "policy", "right"),
    [
        ("users", "delete", "compact"),
        ("users", "compact,delete", "compact"),
        ("models", "delete", "compact"),
        # A compacted topic of orders, keyed by user, would keep one order a user.
        ("orders", "compact", "delete"),
        ("changes", "compact", "delete"),
    ],
)
def test_a_policy_that_loses_records_is_refused(
    client: dict[str, str], topics: Topics, name: str, policy: str, right: str
) -> None:
    topic: str = getattr(topics, name)
    make(client, topic, 1, cleanup_policy=policy)
    topics_admin.create_topics(client, topics, 1)
    expected = f"topic {topic} has cleanup.policy {policy}, which would lose records: set it to {right}$"
    with pytest.raises(BadTopics, match=expected):
        topics_admin.check_topics(client, topics)


def test_dead_letters_that_would_not_fit_are_noticed(client: dict[str, str], topics: Topics) -> None:
    make(client, topics.dead_letters, 1, max_message_bytes="1048588")
    topics_admin.create_topics(client, topics, 1)
    with pytest.raises(BadTopics, match=f"{topics.dead_letters} has max.message.bytes 1048588, .* 5242880"):
        topics_admin.check_topics(client, topics)


def test_a_ledger_whose_tombstones_go_early_is_refused(client: dict[str, str], topics: Topics) -> None:
    name = topics.trigger_ledger
    make(client, name, 1, cleanup_policy="compact", delete_retention_ms="3600000")
    with pytest.raises(BadTopics, match=f"{name} has delete.retention.ms 3600000, .*: set it to 86400000"):
        topics_admin.check_config(Admin(client, 30.0), name, trigger_topic_configs(topics)[name])


def test_a_topic_that_kafka_refuses_is_named_with_the_reason(client: dict[str, str], topics: Topics) -> None:
    with pytest.raises(BadTopics, match=r"topic .* cannot be made: .*replication factor of 50"):
        topics_admin.create_topics(client, topics, 1, replication=50)
    with pytest.raises(BadTopics, match="'a b signups' contains"):
        topics_admin.create_topics(client, Topics("a b "), 1)


def test_only_topics_that_exist_are_described(client: dict[str, str], topics: Topics) -> None:
    make(client, topics.signups, 1)
    assert described(client, [topics.signups, topics.orders]).keys() == {topics.signups}
    assert described(client, []) == {}


def test_the_cluster_is_described(client: dict[str, str]) -> None:
    facts = topics_admin.describe_cluster(client)
    assert facts.brokers == 1
    assert facts.cluster_id


def test_nobody_there_is_unreachable(topics: Topics) -> None:
    for call in (
        lambda: topics_admin.create_topics(NOBODY, topics, 1, deadline_s=0.5),
        lambda: topics_admin.check_topics(NOBODY, topics, deadline_s=0.5),
        lambda: topics_admin.describe_cluster(NOBODY, deadline_s=0.5),
    ):
        with pytest.raises(Unreachable, match=r"Kafka at 127\.0\.0\.1:1 did not .*Connection refused"):
            call()
