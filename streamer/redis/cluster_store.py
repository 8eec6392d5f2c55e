"""Redis Cluster's side of a lane: a lane's keys share a hash tag, and the index lies on a node of its own."""

from collections.abc import Callable, Collection, Sequence
from typing import cast
from urllib.parse import urlsplit

from msgspec.structs import replace
from redis.cluster import RedisCluster

from streamer.interfaces.lane_interfaces import Neighbour, UserWrite
from streamer.place.redis_keys import SEGMENT, Keys
from streamer.redis.redis_client import TIMEOUT_S, reaching
from streamer.redis.redis_store import RedisStore, angles_in, spaces_of
from streamer.redis.save_count import split

_PORT = 6379


class ClusterStore(RedisStore):
    """The same promises as :class:`streamer.redis.redis_store.RedisStore`, but for two.

    Similar users take two round trips, since their segments lie on other nodes than the index. And a save
    writes users and place whole, the index after: a crash between the two leaves entries behind, which
    the lane writes again when it heals.
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
        """Connects at once, to learn which node has what.

        Args:
            url: ``redis://`` or ``rediss://``, of any node.
            lane: the partition number.
            lane_of: the partition number of a user id.
            timeout_s: how long one call may take, in seconds, before Redis counts as unreachable.
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
    ) -> list[list[Neighbour]]:
        """For each angle (radians) the nearest ``n`` users but those excluded, by distance, then user id."""
        found = super().neighbours(space, angles, n, exclude)
        user_ids = list({user.user_id for near in found for user in near})
        pipeline = self._redis.pipeline(transaction=False)
        for user_id in user_ids:
            pipeline.hget(self._keys.user(user_id), SEGMENT)
        with reaching(self._address):
            told = cast(list[bytes | None], pipeline.execute())
        segments = {u: None if s is None else int(s) for u, s in zip(user_ids, told, strict=True)}
        return [[replace(user, segment=segments[user.user_id]) for user in near] for near in found]

    def save(self, expected: bytes | None, place: bytes, writes: Sequence[UserWrite]) -> bool:
        """Write place and users, if the stored place is still ``expected``; then the index entries."""
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
        """The keys lie on many nodes, so the mark is looked at before they are deleted, and not with it."""
        place = split(cast(bytes | None, self._cluster.get(self._place_key)))[1]
        if place != mark:
            return False
        if members:
            self._cluster.zrem(keys[0], *members)
        else:
            self._cluster.unlink(*keys)
        return True

    def close(self) -> None:
        """Let go of the connections, which redis-py's own close of a cluster leaves open."""
        self._cluster.disconnect_connection_pools()  # type: ignore[no-untyped-call]
        super().close()
