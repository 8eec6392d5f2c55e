"""The topics, their keys and their policies: what both sides agree on by name."""

from dataclasses import dataclass

MODELS_CURRENT_KEY = "current"
MAX_INPUT_BYTES = 1_000_000
MAX_DEAD_LETTER_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Topics:
    """Topic names under one prefix.

    >>> Topics(prefix="eu.").signups
    'eu.signups'
    """

    prefix: str = ""

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
    def inputs(self) -> tuple[str, str]:
        """The inputs of a lane, in the order in which a batch takes them."""
        return (self.signups, self.orders)

    @property
    def laned(self) -> tuple[str, str, str, str]:
        """The topics that must have equal partition counts."""
        return (self.signups, self.orders, self.changes, self.users)


def topic_configs(topics: Topics) -> dict[str, dict[str, str]]:
    """The configuration with which each topic is made, by name."""
    return {
        topics.signups: {"cleanup.policy": "delete"},
        topics.orders: {"cleanup.policy": "delete"},
        topics.changes: {"cleanup.policy": "delete"},
        topics.users: {"cleanup.policy": "compact"},
        topics.models: {"cleanup.policy": "compact", "max.message.bytes": "5242880"},
        topics.dead_letters: {"cleanup.policy": "delete", "max.message.bytes": "5242880"},
    }
