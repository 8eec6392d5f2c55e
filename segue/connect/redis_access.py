"""The first requests to Redis of a command that writes. They wait for a Redis that is starting."""

from __future__ import annotations

from segue.config.settings import Settings
from segue.connect.wait_for_servers import Wait
from streamer.redis.redis_client import check_policy
from streamer.redis.redis_rights import check_rights


def check_redis_rights(settings: Settings) -> None:
    """Check that this login may write under the setting ``redis_prefix``.

    Raises:
        Unusable, Unreachable: as :func:`check_redis`.
    """
    _wait_for_redis(settings).until_answered(lambda: check_rights(settings.redis, settings.redis_prefix))


def check_redis(settings: Settings, prefix: str) -> str | None:
    """Check that Redis never evicts keys, and that this login may write under a prefix.

    Returns:
        A sentence for a warning if Redis does not reveal its eviction policy; else None.

    Raises:
        BadStore: Redis may evict keys.
        Unusable: the login lacks rights that Segue needs, or the URL names one server and there is a Redis
            Cluster, or conversely.
        Unreachable: Redis has not answered for :data:`~segue.connect.wait_for_servers.PATIENCE_S`.
    """

    def check() -> str | None:
        check_rights(settings.redis, prefix)
        return check_policy(settings.redis)

    return _wait_for_redis(settings).until_answered(check)


def _wait_for_redis(settings: Settings) -> Wait:
    return Wait(f"Redis at {settings.redis_address}")
