"""What a lane needs of whatever posts its webhooks."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from schemas.outputs.segment_change import Change


class Posted(Struct, frozen=True):
    """The end of a webhook: taken by its receiver, or given up for a reason."""

    given_up: str | None = None


class Post(Protocol):
    """Posts the webhooks of one lane. Webhooks of a trigger and a user go out in the order of ``send``."""

    def send(self, trigger: str, change: Change, number: int) -> None:
        """Post a webhook; :meth:`ended` later returns its end under this number and trigger."""

    def ended(self, timeout_s: float = 0.0) -> list[tuple[int, str, Posted]]:
        """Number, trigger and end of each webhook that has ended since the last call.

        Waits up to ``timeout_s`` for the first.
        """

    def forget(self) -> None:
        """Send none that waits, and report no end of those sent before this call."""

    def finish(self) -> None:
        """Begin no request; return when those that run have ended, or after a limited time."""


def webhook_id(trigger: str, change: Change) -> str:
    """Return the id of a webhook, the same at every repeat: the receiver's idempotency key."""
    # No dot: Standard Webhooks signs id, time and body with dots between them.
    return f"{change.event_id}-{trigger}"
