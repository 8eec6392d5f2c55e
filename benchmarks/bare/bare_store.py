"""Users, index and place in Redis: one round trip each for loading, searching and saving."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec
import redis

from benchmarks.bare.bare_similar import TOP
from benchmarks.bare.bare_user import BareUser, decode_user, encode_user

_HERE = Path(__file__).parent
_LOAD = """
local found = {redis.call('GET', KEYS[1]) or ''}
for i = 2, #KEYS do found[i] = redis.call('HGET', KEYS[i], 'state') end
return found
"""
# The work inside Redis is the same as Segue's, also its script.
_SEARCH = _HERE.parents[1] / "streamer" / "redis" / "lua" / "neighbours.lua"

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[tuple[str, float, int | None]]).decode


class PlaceChanged(Exception):
    """Another writer has saved."""


class BareStore:
    """The users of some lanes; one connection.

    Args:
        url: Redis.
        prefix: the prefix of all keys.
        lane: the name of the place.
    """

    def __init__(self, url: str, prefix: str, lane: str) -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=60)
        self._user = f"{prefix}user:"
        self._index = f"{prefix}angles"
        self._place_key = f"{prefix}place:{lane}"
        self._load = self._redis.register_script(_LOAD)
        self._search = self._redis.register_script(_SEARCH.read_text(encoding="utf-8"))
        self._save = self._redis.register_script((_HERE / "bare_save.lua").read_text(encoding="utf-8"))
        self._place = b""

    def load(self, user_ids: Collection[str]) -> dict[str, BareUser]:
        """These users; an unknown user is new."""
        answer = self._load(keys=[self._place_key, *(self._user + user_id for user_id in user_ids)])
        self._place = answer[0]
        return {
            user_id: BareUser(order_ids=[], brands={}, categories={})
            if packed is None
            else decode_user(packed)
            for user_id, packed in zip(user_ids, answer[1:], strict=True)
        }

    def near(
        self, angles: Collection[float], exclude: Collection[str]
    ) -> list[tuple[str, float, int | None]]:
        """The nearest users of all these directions, without ``exclude``."""
        distinct = [repr(at) for at in dict.fromkeys(angles)]
        if not distinct:
            return []
        answer = self._search(
            keys=[self._index], args=[self._user, TOP, _pack(list(exclude)), _pack(distinct)]
        )
        return _unpack(answer)

    def save(
        self,
        place: bytes,
        users: Mapping[str, BareUser],
        changed: Collection[str],
        names: Sequence[str],
        angles: Mapping[str, float],
    ) -> None:
        """Write the users, their angles and the place, if the place is that of the last load.

        Args:
            place: the new place.
            users: the users by id.
            changed: those whose decision changed.
            names: the names of the segments, by id.
            angles: the directions of the users that have one.

        Raises:
            PlaceChanged: it is not; nothing was written.
        """
        plain = [_plain(user, names) if user_id in changed else [] for user_id, user in users.items()]
        index = [part for user_id, at in angles.items() for part in (repr(at), user_id)]
        keys = [self._place_key, self._index, *(self._user + user_id for user_id in users)]
        states = map(encode_user, users.values())
        if not self._save(keys=keys, args=[self._place, place, _pack(plain), _pack(index), *states]):
            raise PlaceChanged
        self._place = place

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()


def _plain(user: BareUser, names: Sequence[str]) -> list[str]:
    """The fields for readers, as name and value in turn."""
    assert user.segment is not None
    return [
        *("segment", str(user.segment), "segment_name", names[user.segment]),
        *("provisional", "1" if user.provisional else "0", "sequence", str(user.sequence)),
    ]
