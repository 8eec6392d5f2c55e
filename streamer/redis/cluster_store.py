"""A lane's store on Redis Cluster: a lane's keys share a hash tag, and so does the index of its users."""

from collections.abc import Sequence
from typing import cast

from redis.exceptions import NoScriptError

from streamer.interfaces.lane_interfaces import Neighbour
from streamer.redis.node_urls import is_cluster
from streamer.redis.redis_client import TIMEOUT_S, ClusterClient, reaching
from streamer.redis.redis_store import RedisStore, unpack_neighbours
from streamer.redis.save_count import split


class ClusterStore(RedisStore):
    """The same promises as :class:`streamer.redis.redis_store.RedisStore`.

    The index of a space lies in pieces, one for each lane (docs/decisions/018). A save writes its lane's
    piece together with the users and the place: all or nothing. A search asks every piece, at once.
    """

    def __init__(
        self,
        url: str,
        lane: int,
        prefix: str = "segue:",
        timeout_s: float = TIMEOUT_S,
        *,
        lanes: int | None = None,
    ) -> None:
        """Prepare the store; the first call connects.

        Args:
            url: ``redis+cluster://`` or ``rediss+cluster://``.
            lane: the lane's partition number.
            prefix: the prefix of all keys.
            timeout_s: after this many seconds without an answer, Redis counts as unreachable.
            lanes: how many lanes there are; only :meth:`neighbours` needs it.
        """
        super().__init__(url, lane, prefix, timeout_s)
        self._lanes = lanes

    def _search(self, space: str, args: list[int | bytes]) -> list[Neighbour]:
        """Run the search in the piece of every lane; one round trip to each node.

        Each piece gives its nearest users, so the nearest of all are among them.
        """
        assert self._lanes is not None, "a search needs the number of lanes"
        script = self._neighbours

        def answers() -> list[bytes]:
            client = cast(ClusterClient, self._redis)
            pipeline = client.pipeline(transaction=False)  # type: ignore[no-untyped-call]
            for lane in range(self._lanes or 0):
                key, users = self._keys.angles(space, lane), self._keys.user("", lane)
                # With a node named, redis-py need not ask a server which arguments are keys.
                sent_to = client.node_of(key)
                pipeline.execute_command("EVALSHA", script.sha, 1, key, users, *args, target_nodes=sent_to)
            return cast(list[bytes], pipeline.execute())

        with reaching(self._url):
            try:
                found = answers()
            except NoScriptError:
                self._redis.script_load(script.script)
                found = answers()
        return [user for answer in found for user in unpack_neighbours(answer)]

    def _delete_of_all(self, mark: bytes, keys: Sequence[bytes]) -> bool:
        """Check the mark, then delete: the keys lie on many nodes, so one script cannot do both."""
        if split(cast(bytes | None, self._redis.get(self._place_key)))[1] != mark:
            return False
        self._redis.unlink(*keys)
        return True


def store_at(
    url: str,
    lane: int,
    prefix: str = "segue:",
    timeout_s: float = TIMEOUT_S,
    *,
    lanes: int | None = None,
) -> RedisStore:
    """The store of a lane, on the server or on the cluster that the URL names; its first call connects.

    Args:
        url: the setting ``redis``.
        lane: the lane's partition number.
        prefix: the prefix of all keys.
        timeout_s: after this many seconds without an answer, Redis counts as unreachable.
        lanes: how many lanes there are; only a search for similar users needs it.
    """
    if is_cluster(url):
        return ClusterStore(url, lane, prefix, timeout_s, lanes=lanes)
    return RedisStore(url, lane, prefix, timeout_s)
