"""The topic of releases, as publishing needs it. Who publishes brings one; the trainer itself knows no Kafka."""

from collections.abc import Callable, Sequence
from typing import Protocol

from schemas.outputs.headers import Headers

ToWrite = tuple[str, bytes, Headers]
"""Key, value and headers of a record."""


class ReleaseRecord(Protocol):
    """A record of the topic."""

    @property
    def offset(self) -> int:
        """Where it lies."""

    @property
    def key(self) -> bytes | None:
        """A release's version, or ``current``."""

    @property
    def value(self) -> bytes | None:
        """A release; None deletes the version."""

    @property
    def headers(self) -> tuple[tuple[str, bytes], ...]:
        """As :func:`schemas.outputs.headers.release_headers` makes them."""


class ReleasesTopic(Protocol):
    """``segment-models`` of one Kafka.

    Every method raises :class:`~schemas.errors.Unreachable` where Kafka does not answer or refuses the login.
    """

    def ensure(self) -> None:
        """Make the topic when it is missing.

        Raises:
            BadTopics: it exists and is not as it has to be, or cannot be made.
        """

    def read(self) -> Sequence[ReleaseRecord]:
        """All committed records, oldest first; none where there is no topic."""

    def write(self, records: Sequence[ToWrite], check: Callable[[], None] = lambda: None) -> int:
        """Write the records in one transaction; the offset of the last.

        Args:
            records: key, value and headers of each.
            check: called when no earlier writer can commit any more; what it raises ends the writing.

        Raises:
            BadRelease: a value does not fit into a record of the topic.
            BadTopics: the topic takes smaller records than it should.
        """
