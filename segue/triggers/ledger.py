"""The committed ledger of one partition: the records of users in work, and the copy that has all records."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from uuid import uuid4

from msgspec.structs import replace

from segue.triggers.ledger_copy import Copy, Mark, encode_mark, read_mark
from segue.triggers.ledger_records import (
    DECIDING_KEY,
    PLACE_KEY,
    Deciding,
    Place,
    Writes,
    entry_key,
    owner_of,
    read_deciding,
    read_entry,
    read_place,
    read_user,
    user_key,
)
from segue.triggers.policy import Entry, User
from streamer.interfaces.lane_errors import InDoubt
from streamer.interfaces.lane_interfaces import Bounds

# Kafka drops a tombstone 24 hours (the topic's `delete.retention.ms`) after it has dropped what that deletes.
# A copy that has read the latter and missed the tombstone would keep an erased user.
_MAY_LAG = timedelta(hours=12)
_FRESH = timedelta(hours=1)
_OTHER_MARK = "the ledger's copy in Redis is not the one that this lane saved last"


class Ledger:
    """The committed ledger of one partition since one takeover.

    Args:
        copy: has all records.
        clock: gives the present time.

    Attributes:
        place: how far it has come; None before the first start.
        deciding: when changes past the place were decided.
    """

    def __init__(self, copy: Copy, clock: Callable[[], datetime]) -> None:
        self._copy = copy
        self._clock = clock
        self._stored: bytes | None = None
        self._mark = Mark("", 0, clock(), uuid4().hex, 0)
        self._is_whole = False
        self._held: dict[str, dict[bytes, bytes]] = {}
        self.place: Place | None = None
        self.deciding = Deciding("")

    def open(self, topic: Bounds) -> int:
        """Find how far the copy has come; empty a copy that cannot go on.

        Args:
            topic: the lane's partition of `segue-trigger-ledger`.

        Returns:
            The offset from which the records must be read and saved.
        """
        stored, (place, deciding) = self._copy.read([PLACE_KEY, DECIDING_KEY])
        found = None if stored is None else read_mark(stored)
        if (
            found is None
            or found.topic_id != topic.topic_id
            or not topic.begin <= found.offset <= topic.end
            or abs(self._clock() - found.whole_at) > _MAY_LAG
        ):
            self._copy.empty()
            self._mark = replace(self._mark, topic_id=topic.topic_id, offset=topic.begin)
            return topic.begin
        self._stored = stored
        self._mark = replace(found, writer=self._mark.writer, step=0)
        self.place = None if place is None else read_place(place)
        self.deciding = Deciding("") if deciding is None else read_deciding(deciding)
        return found.offset

    def apply(self, writes: Writes, offset: int) -> None:
        """Take over records that are committed, and save them.

        Args:
            writes: the records; none only saves the mark anew.
            offset: the next offset after them.

        Raises:
            BadChange: this version cannot read a record.
            InDoubt: another owner has saved meanwhile, or Redis has lost a save, or Kafka a transaction.
        """
        if offset < self._mark.offset:
            raise InDoubt("Kafka has lost records of the ledger's topic")
        place = writes.get(PLACE_KEY)
        if place is not None:
            self.place = read_place(place)
        deciding = writes.get(DECIDING_KEY)
        if deciding is not None:
            self.deciding = read_deciding(deciding)
        owned = [(owner_of(key), key, value) for key, value in writes.items()]
        named = {owner[0] for owner, _, value in owned if owner is not None and value is not None}
        mark = replace(
            self._mark,
            offset=offset,
            whole_at=self._clock() if self._is_whole else self._mark.whole_at,
            step=self._mark.step + 1,
            triggers=tuple(sorted({*self._mark.triggers, *named} - {""})),
        )
        stored = encode_mark(mark)
        if not self._copy.save(self._stored, stored, writes):
            raise InDoubt(_OTHER_MARK)
        self._mark, self._stored = mark, stored
        for owner, key, value in owned:
            held = None if owner is None else self._held.get(owner[1])
            if held is None:
                continue
            held.pop(key, None)
            if value is not None:
                held[key] = value

    def has_read_all(self) -> None:
        """Note that the copy has all records; from here on, only this ledger adds some.

        Raises:
            InDoubt: the reading took so long that it may have missed a tombstone; or as :meth:`apply`.
        """
        if abs(self._clock() - self._mark.whole_at) > _MAY_LAG:
            raise InDoubt("the ledger's topic was read for too long")
        self._is_whole = True
        self.apply({}, self._mark.offset)

    def keep_fresh(self) -> None:
        """Note now and then that the copy still has all records, so that the next takeover goes on from it.

        Raises:
            InDoubt: as :meth:`apply`.
        """
        if self._clock() - self._mark.whole_at > _FRESH:
            self.apply({}, self._mark.offset)

    def hold(self, user_ids: AbstractSet[str]) -> None:
        """Read the records of these users; they are here until :meth:`release`.

        Raises:
            InDoubt: another owner has saved meanwhile, or Redis has lost a save.
        """
        keys = [
            (user_id, key)
            for user_id in user_ids - self._held.keys()
            for key in (user_key(user_id), *(entry_key(name, user_id) for name in self._mark.triggers))
        ]
        stored, values = self._copy.read([key for _, key in keys])
        if stored != self._stored:
            raise InDoubt(_OTHER_MARK)
        for (user_id, key), value in zip(keys, values, strict=True):
            held = self._held.setdefault(user_id, {})
            if value is not None:
                held[key] = value

    def release(self, user_id: str) -> None:
        """Forget the records of a user who was held; the copy has them."""
        del self._held[user_id]

    def user(self, user_id: str) -> User | None:
        """What is known of a user who is held; None before the user's first record."""
        value = self._held[user_id].get(user_key(user_id))
        return None if value is None else read_user(value)

    def entries(self, user_id: str) -> dict[str, Entry]:
        """The entries of a user who is held, by trigger, also of triggers that the file no longer has."""
        found = {name: self._held[user_id].get(entry_key(name, user_id)) for name in self._mark.triggers}
        return {name: read_entry(value) for name, value in found.items() if value is not None}
