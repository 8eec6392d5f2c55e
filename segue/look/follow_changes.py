"""Reads the changes live."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.outputs.segment_change import Change
from schemas.outputs.wire import decode_change
from segue.connect.read_topics import CommittedReader

_POLL_S = 0.2


def changes(reader: CommittedReader) -> Iterator[Change]:
    """Yield the changes as they come, without end.

    Raises:
        BadChange: this version of Segue cannot read a record.
        BadTopics: the topic was deleted.
    """
    while True:
        message = reader.poll(_POLL_S)
        value = None if message is None else message.value()
        if value is not None:
            yield decode_change(value)
