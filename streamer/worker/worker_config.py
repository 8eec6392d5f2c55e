"""What a worker needs to know of its group and its web server; the lanes have settings of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.errors import BadSetting
from schemas.topics import Topics

# A member is put out of its group when this many heartbeats in a row are missing.
_HEARTBEATS_PER_SESSION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """The settings of a worker around its lanes.

    Attributes:
        kafka: librdkafka's settings of a client: ``bootstrap.servers``, ``security.protocol``…
        partitions: how many lanes there are, as the topics have it.
        group: the consumer group; workers that share it share the lanes.
        session_timeout_ms: how long the group waits for a silent worker before it gives its lanes away.
        rebalance_timeout_ms: how long the group waits for its members to close their lanes.
        no_progress_s: how long events may wait in a lane, none being applied, before the worker is not ready.
        web_port: None for no web server, 0 for any free port.
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
