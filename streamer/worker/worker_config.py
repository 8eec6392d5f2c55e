"""The settings of a worker's group and web server; the lanes have other settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.errors import BadSetting
from schemas.topics import Topics

# The group removes a member when this many heartbeats in a row are missing.
_HEARTBEATS_PER_SESSION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """The settings of a worker, without those of its lanes.

    Attributes:
        kafka: librdkafka's settings of a client: ``bootstrap.servers``, ``security.protocol``…
        partitions: the number of lanes, which is the topics' number of partitions.
        topics: the names of the topics.
        group: the consumer group; workers in one group share the lanes.
        session_timeout_ms: after this time without a heartbeat, the group gives the worker's lanes away.
        heartbeat_interval_ms: the time between two heartbeats, at most a third of ``session_timeout_ms``.
        rebalance_timeout_ms: how long the group waits for its members to close their lanes.
        no_progress_s: the worker is not ready if events wait in a lane for this time and no event is applied.
        web_host: the address of the web server.
        web_port: the port of the web server; None for no web server, 0 for any free port.
    """

    kafka: Mapping[str, str]
    partitions: int
    topics: Topics = field(default_factory=Topics)
    group: str = "segue"
    session_timeout_ms: int = 10_000
    heartbeat_interval_ms: int = 2_000
    rebalance_timeout_ms: int = 30_000
    no_progress_s: int = 60
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
