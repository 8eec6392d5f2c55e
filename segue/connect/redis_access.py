"""What a command that writes to Redis asks at first, and how it waits for one that has only just started."""

from __future__ import annotations

from segue.config.settings import Settings
from segue.connect.wait_for_servers import Wait
from streamer.redis.redis_client import policy_doubt
from streamer.redis.redis_rights import check_rights


def check_redis(settings: Settings, prefix: str) -> str | None:
    """Make sure that Redis keeps what is written to it, and that this login may write under a prefix.

    Returns:
        None; where Redis does not tell its policy, a sentence to warn with.

    Raises:
        BadStore: it may evict keys.
        Unusable: the login may not do what Segue does, or this is a cluster.
        Unreachable: Redis does not answer, though it was waited for.
    """

    def check() -> str | None:
        check_rights(settings.redis, prefix)
        return policy_doubt(settings.redis)

    return Wait(f"Redis at {settings.redis_address}").until_answered(check)
