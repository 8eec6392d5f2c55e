"""The topics, their keys and their policies: what both sides agree on by name."""

from dataclasses import dataclass

MODELS_CURRENT_KEY = "current"
MAX_INPUT_BYTES = 1_000_000
MAX_DEAD_LETTER_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Topics:
    """Topic names under one prefix; with ``rekey`` the lanes have one input more.

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
        """Where a worker writes the events that came on another partition than their user's."""
        return f"{self.prefix}segue-rekeyed"

    @property
    def sources(self) -> tuple[str, str]:
        """The topics that producers write to; who owns a partition of them owns the lane of that number."""
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
    """The configuration with which each topic is made, by name."""
    # A batch counts by its compressed bytes in max.message.bytes, and inflates to a thousand times as many in whoever reads
    # it. Where the broker stores it uncompressed, it refuses what inflates beyond that.
    source = {"cleanup.policy": "delete", "compression.type": "uncompressed"}
    # Kept for ever: it is a part of the users' past, without which no rebuild has the whole.
    rekeyed = {"cleanup.policy": "delete", "max.message.bytes": "5242880", "retention.ms": "-1"}
    # Without a bound, what stood before an erasure's null may stay for ever: Kafka's own default has none.
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
