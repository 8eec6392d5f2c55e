"""The changes as an iterator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Unpack

from schemas.outputs.segment_change import Change
from segue.subscribe.change_feed import ChangeFeed
from segue.subscribe.subscription import Options, Subscription

_TAKE_S = 0.2


def changes(kafka: str, **options: Unpack[Options]) -> Iterator[Change]:
    """Yield the changes as they come, without end: a user's changes in order, each at least once.

    A change counts as handled when the loop asks for the next. It waits for a Kafka that is starting, and
    logs the wait. The end of the loop closes the connection.

    Args:
        kafka: Kafka's brokers: host:port, several with commas.
        **options: see :class:`~segue.subscribe.subscription.Options`.

    Raises:
        BadSetting: an option cannot be used.
        BadTopics: a topic does not exist, or its next changes were deleted.
        BadChange: this version of Segue cannot read a record.
        Unreachable: Kafka has not answered for some minutes, or refuses the login.
    """
    with closing(ChangeFeed(Subscription(kafka, **options))) as feed:
        while True:
            if (change := feed.take(_TAKE_S)) is not None:
                yield change
