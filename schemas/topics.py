"""The names, keys and configurations of the topics."""

from dataclasses import dataclass

MODELS_CURRENT_KEY = "current"
MAX_INPUT_BYTES = 1_000_000
MAX_DEAD_LETTER_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of the topics with a prefix; ``rekey`` adds one input to the lanes.

    >>> Topics(prefix="eu.").signups
    'eu.signups'
    """

    prefix: str = ""
    rekey: bool = False

    @property
    def signups(self) -> str:
        return f"{self.prefix}signups"

    @property
    def orders(self) -> str:
        return f"{self.prefix}orders"

    @property
    def changes(self) -> str:
        return f"{self.prefix}segment-changes"

    @property
    def users(self) -> str:
        return f"{self.prefix}user-segments"

    @property
    def models(self) -> str:
        return f"{self.prefix}segment-models"

    @property
    def dead_letters(self) -> str:
        return f"{self.prefix}segment-dead-letters"

    @property
    def rekeyed(self) -> str:
        """The topic to which workers forward misrouted events."""
        return f"{self.prefix}segue-rekeyed"

    @property
    def trigger_ledger(self) -> str:
        """What the triggers did, by user: the ledger."""
        return f"{self.prefix}segue-trigger-ledger"

    @property
    def trigger_dead_letters(self) -> str:
        """The webhooks that no receiver took."""
        return f"{self.prefix}segue-trigger-dead-letters"

    @property
    def flow_hours(self) -> str:
        """The changelog of the moves between segments by hour."""
        return f"{self.prefix}segue-flow-hours"

    @property
    def flow_minutes(self) -> str:
        """The changelog of the moves between segments by minute."""
        return f"{self.prefix}segue-flow-minutes"

    @property
    def order_rows(self) -> str:
        """The rows of orders and of their lines, by order: what `segue join` joins."""
        return f"{self.prefix}segue-order-rows"

    @property
    def sources(self) -> tuple[str, str]:
        """The topics that producers write to; the owner of their partitions owns the lane of that number."""
        return (self.signups, self.orders)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs of a lane, in the order in which a batch takes them."""
        return (*self.sources, self.rekeyed) if self.rekey else self.sources

    @property
    def laned(self) -> tuple[str, ...]:
        """The topics that must have equal partition counts."""
        return (*self.inputs, self.changes, self.users)


def topic_configs(topics: Topics) -> dict[str, dict[str, str]]:
    """Return the configuration of each topic at its creation, by name."""
    # max.message.bytes limits the compressed bytes of a batch, which may inflate a thousandfold in a reader.
    # A broker that stores batches uncompressed refuses a batch that inflates beyond the limit.
    source = {"cleanup.policy": "delete", "compression.type": "uncompressed"}
    # Kept for ever, because a rebuild needs the whole past of the users.
    rekeyed = {"cleanup.policy": "delete", "max.message.bytes": "5242880", "retention.ms": "-1"}
    # Kafka's default has no limit: then the records before an erasure's null may stay for ever.
    users = {"cleanup.policy": "compact", "max.compaction.lag.ms": str(7 * 24 * 60 * 60 * 1_000)}
    return {
        topics.signups: source,
        topics.orders: source,
        topics.changes: {"cleanup.policy": "delete"},
        topics.users: users,
        topics.models: {"cleanup.policy": "compact", "max.message.bytes": "5242880"},
        topics.dead_letters: {"cleanup.policy": "delete", "max.message.bytes": "5242880"},
        **({topics.rekeyed: rekeyed} if topics.rekey else {}),
    }


def trigger_topic_configs(topics: Topics) -> dict[str, dict[str, str]]:
    """Return the configuration of the topics of the triggers, by name; only `segue triggers` creates them."""
    # After an erasure, compaction removes what both hold of the user; see topic_configs.
    compacted = {"cleanup.policy": "compact", "max.compaction.lag.ms": str(7 * 24 * 60 * 60 * 1_000)}
    return {
        # The ledger's copy must not miss what was deleted; see segue/triggers/ledger.py.
        topics.trigger_ledger: {**compacted, "delete.retention.ms": str(24 * 60 * 60 * 1_000)},
        topics.trigger_dead_letters: {**compacted, "max.message.bytes": "5242880"},
    }


def flow_topic_configs(topics: Topics) -> dict[str, dict[str, str]]:
    """Return the configuration of the changelogs of the flow, by name; only `segue flow` creates them."""
    hour_ms = 60 * 60 * 1_000

    def kept(for_ms: int) -> dict[str, str]:
        # Kafka deletes only whole segments that are closed.
        return {
            "cleanup.policy": "compact,delete",
            "retention.ms": str(for_ms),
            "segment.ms": str(min(24 * hour_ms, for_ms)),
        }

    return {topics.flow_hours: kept(8 * 24 * hour_ms), topics.flow_minutes: kept(3 * hour_ms)}


def join_topic_configs(topics: Topics) -> dict[str, dict[str, str]]:
    """Return the configuration of the topic of `segue join`, by name; only this command creates it."""
    # The newest row of each order and line is enough to go on, but only if the joiner has read the older
    # ones. It may stand still for the shorter time. After the longer one, no older row of a person is left.
    week_ms = 7 * 24 * 60 * 60 * 1_000
    compacted = {
        "cleanup.policy": "compact",
        "min.compaction.lag.ms": str(week_ms),
        "max.compaction.lag.ms": str(2 * week_ms),
        "max.message.bytes": "5242880",
    }
    return {topics.order_rows: compacted}
