"""Finds the Redis prefix of the states: a rebuild may have moved the lanes to another prefix."""

from __future__ import annotations

from segue.config.settings import Settings
from streamer.redis.cluster_store import store_at
from streamer.redis.redis_client import TIMEOUT_S
from streamer.takeover.lane_snapshot import follow_lane


def followed(settings: Settings, timeout_s: float = TIMEOUT_S) -> Settings:
    """Return the settings with the prefix that lane 0 uses now.

    While a rebuild switches the lanes, other lanes may still use the former prefix.

    Args:
        settings: with the prefix to begin at.
        timeout_s: seconds that one answer of Redis may take.

    Raises:
        Unreachable: Redis does not answer.
    """
    store = store_at(settings.redis, 0, settings.redis_prefix, timeout_s)
    try:
        follow_lane(store)
        return settings.model_copy(update={"redis_prefix": store.prefix})
    finally:
        store.close()
