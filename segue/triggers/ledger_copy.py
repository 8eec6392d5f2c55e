"""What a lane needs of the copy of its ledger: a copy that answers at once, and says how far it has come.

The topic `segue-trigger-ledger` is the ledger. Its copy may lose any number of its last saves, a part of a
save or everything: then its mark is not the mark of the lane's last save, and the lane reads the topic again
from the mark on, or all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import Struct

from segue.triggers.ledger_records import Writes


class Mark(Struct, frozen=True):
    """How far a copy has come.

    Attributes:
        topic_id: the id of the topic of the ledger.
        offset: the next offset in the lane's partition of it.
        whole_at: when the copy last had all records of the topic; while it is filled, when that began.
        writer: a name that no other takeover has.
        step: the number of the save since that takeover.
        triggers: the names of all triggers that have entries, in order.
    """

    topic_id: str
    offset: int
    whole_at: datetime
    writer: str
    step: int
    triggers: tuple[str, ...] = ()


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Mark)


def encode_mark(mark: Mark) -> bytes:
    """Return a mark as a copy holds it."""
    return _ENCODER.encode(mark)


def read_mark(stored: bytes) -> Mark | None:
    """Decode a mark; None if this version cannot read it, so the copy is made anew."""
    try:
        return _DECODER.decode(stored)
    except msgspec.MsgspecError:
        return None


class Copy(Protocol):
    """The copy of one partition's ledger. Every method may raise Unreachable: the result is then unknown."""

    def read(self, keys: Sequence[bytes]) -> tuple[bytes | None, list[bytes | None]]:
        """Return the mark, and the values of these keys of the ledger.

        The mark is None if there is no copy, or if a part of a lost save came back.
        """

    def save(self, expected: bytes | None, mark: bytes, writes: Writes) -> bool:
        """Save these records and the mark: all or nothing.

        Args:
            expected: the mark that must be there; None: no copy at all must be there.
            mark: the new mark, which no other save has.
            writes: the records.

        Returns:
            False if another mark is there; then nothing was written.
        """

    def empty(self) -> None:
        """Delete the copy, whatever is there."""

    def close(self) -> None:
        """Close the connection."""
