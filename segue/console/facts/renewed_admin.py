"""An admin client of Kafka that is replaced when Kafka has not answered it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from schemas.errors import Unreachable
from streamer.kafka.kafka_admin import Admin


class RenewedAdmin:
    """Lends an admin client. Any thread may borrow it, also while another has it.

    After Kafka has hung for some minutes, librdkafka may look for a group's coordinator for ever, while a new
    client finds it at once. So a client is not lent again after a request without an answer. It ends when the
    last thread has returned it.

    Args:
        make: connects a new client.
    """

    def __init__(self, make: Callable[[], Admin]) -> None:
        self._make = make
        self._admin: Admin | None = None

    @contextmanager
    def lent(self) -> Iterator[Admin]:
        """Yield the client for some requests."""
        admin = self._admin
        if admin is None:
            admin = self._admin = self._make()
        try:
            yield admin
        except Unreachable:
            if self._admin is admin:  # else another thread has replaced it
                self._admin = None
            raise
