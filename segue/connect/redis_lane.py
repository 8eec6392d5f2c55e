"""Reads a lane's place and users from Redis while a worker runs: both are of one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import chain
from typing import Any, cast

from schemas.errors import NeedsRebuild
from segue.config.settings import Settings
from streamer.interfaces.lane_errors import Torn
from streamer.place import place as places
from streamer.place.place import Place
from streamer.place.redis_keys import Keys
from streamer.redis.node_urls import address_of, is_cluster
from streamer.redis.redis_client import connect, reaching, scan_keys, server_of
from streamer.redis.save_count import place_in
from streamer.refill.compare_states import Kept


class RedisLane:
    """Reads a lane's place and users.

    Every method raises :class:`~schemas.errors.Unreachable` if Redis does not answer.

    Args:
        settings: name the Redis and the prefix.
        lane: the lane's number.
        spaces: the spaces whose index of users is read.
    """

    def __init__(self, settings: Settings, lane: int, spaces: Sequence[str]) -> None:
        self._keys = Keys(settings.redis_prefix, tagged=is_cluster(settings.redis))
        self._lane = lane
        self._spaces = tuple(spaces)
        self._place_keys = self._keys.place(lane), self._keys.saves(lane)
        self._url = settings.redis
        self._redis = connect(self._url)

    def place(self) -> Place | None:
        """Return the lane's place; None if the lane has no place.

        Raises:
            NeedsRebuild: the place cannot be read, a bootstrap did not end, or Redis lost a save and restored
                only a part of it.
        """
        with reaching(self._url):
            stored = whole_place(self._redis.mget(*self._place_keys))
        return None if stored is None else places.decode(stored)

    def read(self, user_ids: Sequence[str]) -> tuple[Place, Mapping[str, Kept]]:
        """Return the place and these users, read in one transaction.

        Returns:
            The place, and what Redis has of each user, by user id.

        Raises:
            NeedsRebuild: the place is missing.
        """
        with reaching(self._url):
            pipeline = server_of(self._redis, self._place_keys[0]).pipeline(transaction=True)
        pipeline.mget(*self._place_keys)
        for user_id in user_ids:
            pipeline.hgetall(self._keys.user(user_id, self._lane))
            pipeline.zscore(self._keys.swept(self._lane), user_id)
            pipeline.zscore(self._keys.due(self._lane), user_id)
            pipeline.zrange(self._keys.orders(user_id, self._lane), 0, -1)
            for space in self._spaces:
                pipeline.zscore(self._keys.angles(space, self._lane), user_id)
        with reaching(self._url):
            with_saves, *answers = pipeline.execute()
        stored = whole_place(with_saves)
        if stored is None:
            raise NeedsRebuild(
                f"the place of lane {self._lane} is gone from Redis at {address_of(self._url)}: start a"
                " worker, which heals the lane, and run this command again"
            )
        width = 4 + len(self._spaces)
        rows = [answers[at : at + width] for at in range(0, len(answers), width)]
        kept = {user_id: self._kept(*row) for user_id, row in zip(user_ids, rows, strict=True)}
        return places.decode(stored), kept

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()

    def _kept(
        self,
        fields: Mapping[bytes, bytes],
        swept: float | None,
        due: float | None,
        index: list[bytes],
        *angles: Any,
    ) -> Kept:
        return Kept(
            {name.decode(): value for name, value in fields.items()},
            {space: at for space, at in zip(self._spaces, angles, strict=True) if at is not None},
            swept is not None,
            frozenset(entry.decode() for entry in index),
            None if due is None else int(due),
        )


def whole_place(stored_and_saves: object) -> bytes | None:
    """Return a lane's place as stored; None if there is no place.

    Args:
        stored_and_saves: the values under the lane's two keys, the place and the count of saves.

    Raises:
        NeedsRebuild: Redis lost a save and restored only a part of it.
    """
    stored, saves = cast(Sequence[bytes | None], stored_and_saves)
    try:
        return place_in(stored, saves)
    except Torn as torn:
        raise NeedsRebuild(
            f"{torn}: start a worker, which folds the lane again; run this command when the lane is live"
        ) from None


def spaces_in(settings: Settings) -> list[str]:
    """Return the names of the spaces that have an index in Redis, sorted.

    Raises:
        Unreachable: Redis does not answer.
    """
    url = settings.redis
    keys = Keys(settings.redis_prefix, tagged=is_cluster(url))
    with closing(connect(url)) as client, reaching(url):
        found = chain.from_iterable(scan_keys(client, keys.every_angles(), 1_000))
        return sorted({keys.space_of(key) for key in found})
