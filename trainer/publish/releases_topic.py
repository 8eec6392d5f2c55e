"""The interface to the topic of releases. The caller passes an implementation; the trainer does not import
Kafka.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from schemas.outputs.headers import Headers

ToWrite = tuple[str, bytes, Headers]
"""Key, value and headers of a record."""


class ReleaseRecord(Protocol):
    """A record of the topic."""

    @property
    def offset(self) -> int:
        """The offset of the record."""

    @property
    def key(self) -> bytes | None:
        """A release's version, or ``current``."""

    @property
    def value(self) -> bytes | None:
        """A release; None deletes the version."""

    @property
    def headers(self) -> tuple[tuple[str, bytes], ...]:
        """The headers that :func:`schemas.outputs.headers.release_headers` makes."""


class ReleasesTopic(Protocol):
    """The topic ``segment-models`` of one Kafka cluster.

    Every method raises :class:`~schemas.errors.Unreachable` if Kafka does not answer or refuses the login.
    """

    def ensure(self) -> None:
        """Create the topic if it is missing.

        Raises:
            BadTopics: it exists with wrong settings, or it cannot be created.
        """

    def read(self) -> Sequence[ReleaseRecord]:
        """All committed records, oldest first; empty if there is no topic."""

    def write(self, records: Sequence[ToWrite], check: Callable[[], None] = lambda: None) -> int:
        """Write the records in one transaction; return the offset of the last record.

        Args:
            records: key, value and headers of each record.
            check: called when no earlier writer can commit any more; an error from it stops the write.

        Raises:
            BadRelease: a value does not fit into a record of the topic.
            BadTopics: the topic does not accept records as large as it should.
        """
