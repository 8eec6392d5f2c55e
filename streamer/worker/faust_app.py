"""The Faust app of a worker: group membership, start and stop, timers."""

import faust
from faust.app import BootStrategy

from streamer.worker.faust_broker import broker_urls, credentials
from streamer.worker.faust_group import GroupTransport
from streamer.worker.membership import Membership
from streamer.worker.worker_config import WorkerConfig

# The smallest value with which Faust keeps its own assignor. This assignor gives the same partition number of
# both inputs to one member. With 0, Faust would distribute the partitions in turn.
_STANDBY_REPLICAS = 1
# A changed number of partitions is noticed after this time.
_METADATA_MAX_AGE_MS = 30_000


class _MembersOnly(BootStrategy):
    """Starts no producer, because lanes have their own, and no web server, because it would bind a port."""

    enable_kafka_producer = False
    enable_web = False


class WorkerApp(faust.App):
    """A Faust app that joins the group of the inputs, and leaves reading and writing to the lanes."""

    BootStrategy = _MembersOnly
    inputs: tuple[str, ...] = ()

    async def on_first_start(self) -> None:
        """Subscribe to the inputs. Faust's own method creates folders for tables; there are none here."""
        self.topics.add(self.topic(*self.inputs, acks=False))

    def _on_rebalance_when_stopped(self) -> None:
        """Do nothing: the lanes are closed, and Faust would close the consumer from the wrong loop."""


def faust_app(config: WorkerConfig, membership: Membership) -> WorkerApp:
    """A new Faust app, not started.

    Raises:
        schemas.errors.BadSetting: Faust does not know this way to log in to Kafka.
    """
    session_s = config.session_timeout_ms / 1_000
    app = WorkerApp(
        config.group,
        env={},  # Else environment variables such as BROKER_URL would override these settings.
        autodiscover=False,
        broker=broker_urls(config.kafka),
        broker_client_id=config.kafka.get("client.id", "segue"),
        broker_credentials=credentials(config.kafka),
        broker_session_timeout=session_s,
        broker_heartbeat_interval=config.heartbeat_interval_ms / 1_000,
        broker_rebalance_timeout=config.rebalance_timeout_ms / 1_000,
        # Give up a broker that hangs after one session. A join may take longer; then it is retried.
        broker_request_timeout=session_s,
        consumer_metadata_max_age_ms=_METADATA_MAX_AGE_MS,
        stream_wait_empty=False,
        table_standby_replicas=_STANDBY_REPLICAS,
        topic_allow_declare=False,
        topic_disable_leader=True,
    )
    app.transport = GroupTransport(app, config, membership)
    app.inputs = config.topics.sources
    return app
