"""Creates the topics, and checks that they fit together before a worker reads them."""

from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException

# Some of its public names are missing from its __all__.
from confluent_kafka.admin import ConfigResource, NewTopic, ResourceType
from msgspec import Struct

from schemas.errors import BadTopics
from schemas.topics import Topics, topic_configs
from streamer.kafka.kafka_admin import Admin, missing
from streamer.kafka.kafka_client import error_of, is_passing, log

DEADLINE_S = 30.0

_POLICY = "cleanup.policy"
_SIZE = "max.message.bytes"
_KEPT = "delete.retention.ms"
_COMPRESSION, _UNCOMPRESSED = "compression.type", "uncompressed"


class ClusterFacts(Struct, frozen=True):
    """The facts of a Kafka cluster that answers. The protocol does not contain Kafka's version."""

    cluster_id: str
    brokers: int


def create_topics(
    client: Mapping[str, str],
    topics: Topics,
    partitions: int,
    *,
    replication: int = -1,
    deadline_s: float = DEADLINE_S,
) -> list[str]:
    """Create the topics that do not exist; existing topics stay as they are.

    Args:
        client: librdkafka's settings of a client.
        topics: the names of the topics.
        partitions: the number of partitions of every topic except ``segment-models``, which has one.
        replication: how many brokers hold a copy; -1 for the broker's default.
        deadline_s: how many seconds to wait for each answer.

    Returns:
        The names of the created topics.

    Raises:
        BadTopics: Kafka refuses to create a topic.
        Unreachable: no broker answers within ``deadline_s``.
    """
    admin = Admin(client, deadline_s)
    wanted = [
        NewTopic(name, 1 if name == topics.models else partitions, replication, config=config)
        for name, config in topic_configs(topics).items()
    ]
    made = [topic.topic for topic in wanted if create_topic(admin, topic, deadline_s)]
    # All topics exist now, but another worker may have created some of them just before. Wait until this
    # client knows them all.
    admin.describe_settled([topic.topic for topic in wanted], deadline_s)
    return sorted(made)


def create_topic(admin: Admin, topic: NewTopic, deadline_s: float) -> bool:
    """Create a topic; return whether it did not exist before.

    Args:
        admin: the client that asks.
        topic: the topic with its configuration.
        deadline_s: how many seconds to wait for the answer.

    Raises:
        BadTopics: Kafka refuses to create the topic.
        Unreachable: no broker answers in time.
    """
    name = topic.topic
    try:
        admin.asked(
            lambda: admin.kafka.create_topics([topic], request_timeout=deadline_s)[name],
            f"make topic {name}",
            lambda error: is_passing(error) or _is_fenced_off(error),
        )
    except KafkaException as error:
        reason = error_of(error)
        if reason.code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise BadTopics(f"topic {name} cannot be made: {reason.str()}") from None
        return False
    return True


def _is_fenced_off(error: KafkaError) -> bool:
    """Whether a cluster that has just started has not admitted its brokers yet.

    The error code alone does not show this: a cluster with too few brokers answers with the same code.
    """
    return error.code() == KafkaError.INVALID_REPLICATION_FACTOR and "fenced" in error.str()


def check_topics(client: Mapping[str, str], topics: Topics, *, deadline_s: float = DEADLINE_S) -> int:
    """Check that a worker can read and write these topics; ``segment-models`` may still be missing.

    Args:
        client: librdkafka's settings of a client.
        topics: the names of the topics.
        deadline_s: how many seconds to wait for each answer.

    Returns:
        The number of partitions, which is the number of lanes.

    Raises:
        BadTopics: a topic is missing, the lanes' topics have different numbers of partitions, or a topic has
            a configuration that loses or refuses records.
        Unreachable: no broker answers within ``deadline_s``.
    """
    admin = Admin(client, deadline_s)
    needed = (*topics.laned, topics.dead_letters)
    found = {**admin.describe([topics.models]), **admin.describe_settled(needed)}
    counts = {name: facts.partitions for name, facts in found.items()}
    if absent := [name for name in needed if name not in counts]:
        raise missing(absent)
    first = topics.laned[0]
    for name in topics.laned:
        if counts[name] != counts[first]:
            raise BadTopics(
                f"topic {first} has {counts[first]} partitions and {name} has {counts[name]}: a user must"
                " have the same number in both, so create them again with equal counts"
            )
    check_one_partition(topics.models, counts.get(topics.models, 1))
    for name in found:
        check_config(admin, name, topic_configs(topics)[name])
    return counts[first]


def check_one_partition(name: str, partitions: int) -> None:
    """Check that the topic of releases has one partition.

    Raises:
        BadTopics: the topic has more partitions.
    """
    if partitions != 1:
        raise BadTopics(
            f"topic {name} has {partitions} partitions, which leaves the order of releases open: create it"
            " again with 1"
        )


def inflating(client: Mapping[str, str], topics: Topics, *, deadline_s: float = DEADLINE_S) -> dict[str, int]:
    """The largest compressed batch in bytes, by input that accepts compressed batches.

    A worker holds the whole uncompressed batch in memory. An input is left out if it is missing, or if this
    login may not read its configuration.
    """
    admin = Admin(client, deadline_s)
    configs = {name: _config(admin, name) for name in admin.describe(list(topics.sources))}
    return {
        name: int(config[_SIZE])
        for name, config in configs.items()
        if config.get(_COMPRESSION, _UNCOMPRESSED) != _UNCOMPRESSED
    }


def describe_cluster(client: Mapping[str, str], *, deadline_s: float = DEADLINE_S) -> ClusterFacts:
    """The facts of the cluster, for ``segue doctor``.

    Raises:
        Unreachable: no broker answers within ``deadline_s``.
    """
    admin = Admin(client, deadline_s)
    cluster = admin.asked(
        lambda: admin.kafka.describe_cluster(request_timeout=deadline_s), "describe its cluster"
    )
    return ClusterFacts(cluster.cluster_id, len(cluster.nodes))


def _config(admin: Admin, name: str) -> dict[str, str]:
    """A topic's configuration; empty if this login may not read it."""
    resource = ConfigResource(ResourceType.TOPIC, name)
    try:
        entries = admin.asked(
            lambda: admin.kafka.describe_configs([resource])[resource],
            f"return the configuration of topic {name}",
        )
    except KafkaException as error:
        log.warning("topic not checked", topic=name, reason=error_of(error).str())
        return {}
    return {entry.name: entry.value for entry in entries.values()}


def check_config(admin: Admin, name: str, wanted: Mapping[str, str]) -> None:
    """Check that a topic's configuration neither loses nor refuses records.

    A configuration that this login may not read is accepted.

    Raises:
        BadTopics: the topic would lose or refuse records.
    """
    config = _config(admin, name)
    policy = config.get(_POLICY, wanted[_POLICY])
    if policy != wanted[_POLICY]:
        raise BadTopics(
            f"topic {name} has {_POLICY} {policy}, which would lose records: set it to {wanted[_POLICY]}"
        )
    kept = wanted.get(_KEPT)
    if kept is not None and int(config.get(_KEPT, kept)) < int(kept):
        raise BadTopics(
            f"topic {name} has {_KEPT} {config[_KEPT]}, so a reader may miss that a record was deleted: set"
            f" it to {kept}"
        )
    size = wanted.get(_SIZE)
    if size is not None and int(config.get(_SIZE, size)) < int(size):
        raise BadTopics(
            f"topic {name} has {_SIZE} {config[_SIZE]}, which would refuse large records: set it to {size}"
        )
