"""Where the states lie now: a rebuild may have moved the lanes to another Redis prefix."""

from __future__ import annotations

from segue.config.settings import Settings
from streamer.redis.redis_client import TIMEOUT_S
from streamer.redis.redis_store import RedisStore
from streamer.takeover.lane_snapshot import follow_lane


def followed(settings: Settings, timeout_s: float = TIMEOUT_S) -> Settings:
    """The settings with the prefix under which lane 0 goes on; while lanes move, others may be behind it.

    Raises:
        Unreachable: Redis does not answer.
    """
    store = RedisStore(settings.redis, 0, settings.redis_prefix, timeout_s)
    try:
        follow_lane(store)
        return settings.model_copy(update={"redis_prefix": store.prefix})
    finally:
        store.close()
