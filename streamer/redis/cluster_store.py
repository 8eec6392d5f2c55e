"""A lane's store on Redis Cluster: the lane's keys share a hash tag, and an index may lie on another node."""

from collections.abc import Callable, Collection, Sequence
from typing import cast
from urllib.parse import urlsplit

from msgspec.structs import replace
from redis.cluster import RedisCluster

from streamer.interfaces.lane_interfaces import Neighbour, UserWrite
from streamer.place.redis_keys import SEGMENT, Keys
from streamer.redis.redis_client import TIMEOUT_S, reaching
from streamer.redis.redis_store import RedisStore
from streamer.redis.save_arguments import angles_in, spaces_of
from streamer.redis.save_count import split

_PORT = 6379


class ClusterStore(RedisStore):
    """The same promises as :class:`streamer.redis.redis_store.RedisStore`, with two exceptions.

    A search for similar users takes two round trips, because their segments lie on other nodes than the
    index. A save writes the users and the place first, all or nothing, and then the index. A crash between
    the two leaves old index entries, which the lane writes again when it heals.
    """

    _on_one_node = False

    def __init__(
        self,
        url: str,
        lane: int,
        lane_of: Callable[[str], int],
        prefix: str = "segue:",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Connect at once, to learn which node holds which keys.

        Args:
            url: the address of any node, ``redis://`` or ``rediss://``.
            lane: the lane's partition number.
            lane_of: gives the partition number of a user id.
            prefix: the prefix of all keys.
            timeout_s: after this many seconds without an answer, Redis counts as unreachable.

        Raises:
            Unreachable: no node answers.
        """
        keys = Keys(prefix, lane_of)
        at = urlsplit(url)
        address = f"{at.hostname or 'localhost'}:{at.port or _PORT}"
        with reaching(address):
            self._cluster = RedisCluster.from_url(
                url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
            )
            self._begin(self._cluster, address, keys, lane)

    def neighbours(
        self, space: str, angles: Sequence[float], n: int, exclude: Collection[str]
    ) -> list[Neighbour]:
        """The nearest ``n`` users of every angle, by angular distance and then by user id.

        Args:
            space: the space of the index.
            angles: the directions to search from, in radians.
            n: how many users each search must find.
            exclude: the ids of users to leave out.

        Returns:
            The users of all searches together, each once, in no order. There may be others among them.
        """
        found = super().neighbours(space, angles, n, exclude)
        pipeline = self._redis.pipeline(transaction=False)
        for user in found:
            pipeline.hget(self._keys.user(user.user_id), SEGMENT)
        with reaching(self._address):
            segments = cast(list[bytes | None], pipeline.execute())
        return [
            replace(user, segment=None if segment is None else int(segment))
            for user, segment in zip(found, segments, strict=True)
        ]

    def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
        """Write the place and the users, all or nothing, and then the index entries.

        Returns:
            False if the stored place is not ``expected``; then nothing was written.
        """
        if not super().save(expected, place, writes):
            return False
        pipeline = self._redis.pipeline(transaction=False)
        for space in spaces_of(writes):
            angles = angles_in(space, writes)
            if put := {user_id: at for user_id, at in angles.items() if at is not None}:
                pipeline.zadd(self._keys.angles(space), put)
            if gone := [user_id for user_id, at in angles.items() if at is None]:
                pipeline.zrem(self._keys.angles(space), *gone)
        with reaching(self._address):
            pipeline.execute()
        return True

    def _delete(self, mark: bytes, keys: Sequence[bytes], members: Sequence[bytes] = ()) -> bool:
        """Check the mark, then delete: the keys lie on many nodes, so one script cannot do both."""
        place = split(cast(bytes | None, self._cluster.get(self._place_key)))[1]
        if place != mark:
            return False
        if members:
            self._cluster.zrem(keys[0], *members)
        else:
            self._cluster.unlink(*keys)
        return True

    def close(self) -> None:
        """Close the connections; redis-py's own close of a cluster leaves them open."""
        self._cluster.disconnect_connection_pools()  # type: ignore[no-untyped-call]
        super().close()
