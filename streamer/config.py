"""The settings of a worker, as they come out of the settings file, the environment and the options."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.errors import BadSetting
from schemas.features import FEATURE_NAMES
from schemas.partition import Partitioner
from schemas.topics import Topics

# A member is put out of its group when this many heartbeats in a row are missing.
_HEARTBEATS_PER_SESSION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """What one worker needs to know.

    Attributes:
        kafka: librdkafka's settings of a client: ``bootstrap.servers``, ``security.protocol``…
        partitions: how many lanes there are, as the topics have it.
        group: the consumer group; workers that share it share the lanes.
        redis_prefix: before every key.
        exclude_statuses: the statuses of orders that do not count, exactly as written.
        similar_users: how many of them a change names.
        max_batch: how many records one transaction takes at most.
        session_timeout_ms: how long the group waits for a silent worker before it gives its lanes away.
        rebalance_timeout_ms: how long the group waits for its members to close their lanes.
        web_port: None for no web server, 0 for any free port.
    """

    kafka: Mapping[str, str]
    partitions: int
    topics: Topics = field(default_factory=Topics)
    group: str = "segue"
    redis_url: str = "redis://127.0.0.1:6379/0"
    redis_prefix: str = "segue:"
    features: tuple[str, ...] = FEATURE_NAMES
    partitioner: Partitioner = "murmur2"
    exclude_statuses: frozenset[str] = frozenset()
    similar_users: int = 5
    max_batch: int = 1_000
    transaction_timeout_ms: int = 60_000
    session_timeout_ms: int = 10_000
    heartbeat_interval_ms: int = 2_000
    rebalance_timeout_ms: int = 30_000
    web_host: str = "127.0.0.1"
    web_port: int | None = None

    def __post_init__(self) -> None:
        if self.heartbeat_interval_ms * _HEARTBEATS_PER_SESSION > self.session_timeout_ms:
            raise BadSetting(
                "heartbeat_interval_ms",
                self.heartbeat_interval_ms,
                f"a third of session_timeout_ms ({self.session_timeout_ms}) at most",
            )

    @property
    def brokers(self) -> str:
        """Kafka's addresses, for messages."""
        return self.kafka["bootstrap.servers"]
