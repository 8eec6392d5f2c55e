"""The Faust app of a worker: group membership, start and stop, timers."""

import faust
from faust.app import BootStrategy

from streamer.worker.faust_broker import broker_urls, credentials
from streamer.worker.faust_group import GroupTransport
from streamer.worker.membership import Membership
from streamer.worker.worker_config import WorkerConfig

# The least that Faust takes, and what keeps its assignor, which gives equal numbers of both inputs to
# one member; with none it would deal them out in turn.
_STANDBY_REPLICAS = 1
# How soon a changed number of partitions is seen.
_METADATA_MAX_AGE_MS = 30_000


class _MembersOnly(BootStrategy):
    """No producer, since lanes have their own, and no web server, since Faust's binds a port unasked."""

    enable_kafka_producer = False
    enable_web = False


class WorkerApp(faust.App):
    """A Faust app that joins the group of the inputs, and leaves reading and writing to the lanes."""

    BootStrategy = _MembersOnly
    inputs: tuple[str, ...] = ()

    async def on_first_start(self) -> None:
        """Subscribe. (Faust makes folders for tables here; there are none.)"""
        self.topics.add(self.topic(*self.inputs, acks=False))

    def _on_rebalance_when_stopped(self) -> None:
        """The lanes are closed already; Faust would close the consumer from the wrong loop here."""


def faust_app(config: WorkerConfig, membership: Membership) -> WorkerApp:
    """The app, not started.

    Raises:
        schemas.errors.BadSetting: a way to log in to Kafka that Faust does not know.
    """
    session_s = config.session_timeout_ms / 1_000
    app = WorkerApp(
        config.group,
        env={},  # Faust would let variables such as BROKER_URL override what stands here.
        autodiscover=False,
        broker=broker_urls(config.kafka),
        broker_client_id=config.kafka.get("client.id", "segue"),
        broker_credentials=credentials(config.kafka),
        broker_session_timeout=session_s,
        broker_heartbeat_interval=config.heartbeat_interval_ms / 1_000,
        broker_rebalance_timeout=config.rebalance_timeout_ms / 1_000,
        # A broker that hangs is left alone after a session. (Joining may take longer: that is tried again.)
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
