"""The copy of a ledger in Redis: a hash whose fields are the records of the lane's partition.

The effects of a save lie in Redis's append-only file as one transaction. A crash may cut the file inside it,
and a later restart may run its beginning (docs/redis.md). So a save first adds 1 to a count beside the hash,
and last writes the mark with that count: if such a beginning came back, the two differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import cached_property
from importlib.resources import files
from typing import cast

import msgspec
from redis.commands.core import Script

from segue.triggers.ledger_records import Writes
from streamer.redis.node_urls import is_cluster
from streamer.redis.redis_client import TIMEOUT_S, Client, connect, reaching, server_of
from streamer.redis.save_count import split

# No key of the ledger: those of users have a slash.
_MARK = b"mark"

_pack = msgspec.msgpack.Encoder().encode


def drop_copies(url: str, lanes: int, prefix: str) -> None:
    """Delete the copies of all lanes under a prefix; triggers that still use the prefix make theirs anew.

    Raises:
        Unreachable: Redis does not answer.
    """
    for lane in range(lanes):
        with closing(RedisCopy(url, lane, prefix)) as copy:
            copy.empty()


class RedisCopy:
    """Implements :class:`~segue.triggers.ledger_copy.Copy`; used by one thread. The first call connects.

    Args:
        url: the setting ``redis``.
        lane: the lane's partition number.
        prefix: the prefix of all keys.
        timeout_s: after this many seconds without an answer, Redis counts as unreachable.
    """

    def __init__(self, url: str, lane: int, prefix: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s
        # On a cluster, keys with the same tag lie on one node, so that one script can write them.
        of_lane = f"{{{lane}}}" if is_cluster(url) else f"{lane}"
        self._hash = f"{prefix}triggers:{of_lane}"
        self._saves = f"{prefix}triggers-saves:{of_lane}"
        self._connected = ExitStack()

    @cached_property
    def _redis(self) -> Client:
        return self._connected.enter_context(closing(connect(self._url, self._timeout_s)))

    @cached_property
    def _save(self) -> Script:
        text = files("segue.triggers").joinpath("save_copy.lua").read_text()
        return self._redis.register_script(text)

    def read(self, keys: Sequence[bytes]) -> tuple[bytes | None, list[bytes | None]]:
        """Return the mark, and the values of these keys of the ledger."""
        with reaching(self._url):
            pipeline = server_of(self._redis, self._hash).pipeline(transaction=True)
            pipeline.get(self._saves)
            pipeline.hmget(self._hash, [_MARK, *keys])
            saves, (stored, *values) = cast(tuple[bytes | None, list[bytes | None]], pipeline.execute())
        number, mark = split(stored)
        return (mark if saves is not None and number == int(saves) else None), values

    def save(self, expected: bytes | None, mark: bytes, writes: Writes) -> bool:
        """Save these records and the mark: all or nothing."""
        # As text, which the records are: Redis's MessagePack does not know the type of bytes.
        fields, deleted = list[str](), list[str]()
        for key, value in writes.items():
            if value is None:
                deleted.append(key.decode())
            else:
                fields += [key.decode(), value.decode()]
        args = [expected or b"", mark, _pack(fields), _pack(deleted)]
        with reaching(self._url):
            return bool(self._save(keys=[self._saves, self._hash], args=args))

    def empty(self) -> None:
        """Delete the copy, whatever is there."""
        with reaching(self._url):
            self._redis.unlink(self._hash, self._saves)

    def close(self) -> None:
        """Close the connection."""
        self._connected.close()
