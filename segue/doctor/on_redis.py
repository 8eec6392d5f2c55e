"""What Redis says: the server, whether it keeps what is written, the users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from schemas.errors import Unreachable
from segue.doctor.check import FAIL, OK, WARN, Check
from segue.doctor.places import check_places
from segue.followed import followed
from segue.rebuild_lease import standing
from segue.settings import Settings
from streamer.keys import Keys
from streamer.model import ActiveModel
from streamer.redis_client import POLICY, connect, reaching

_DEADLINE_S = 5.0


def check_redis(settings: Settings, lanes: int | None, model: ActiveModel | None) -> list[Check]:
    """All checks of Redis.

    Args:
        lanes: how many there are; None where Kafka did not tell.
        model: the release in use, whose index tells how many users there are.
    """
    client = connect(settings.redis, _DEADLINE_S)
    try:
        with reaching(settings.redis_address):
            info = cast(Mapping[str, Any], client.info())
            space = None if model is None else model.release.space
            keys = Keys(followed(settings, _DEADLINE_S).redis_prefix)
            left = standing(settings, _DEADLINE_S)
            indexed = 0 if space is None else client.zcard(keys.angles(space))
    except Unreachable as error:
        return [Check("redis", FAIL, str(error))]
    finally:
        client.close()
    checks = [
        Check(
            "redis", OK, f"{settings.redis_address} answers: version {info.get('redis_version', 'unknown')}"
        ),
        _policy(info),
        _memory(info),
        _persistence(info),
    ]
    if lanes is not None:
        checks.extend(check_places(settings, lanes))
    if left is not None:
        text = f"a rebuild into {left} was begun, and the lanes have not moved there"
        fix = f"segue rebuild --into {left} --switch, or --drop"
        checks.append(Check("rebuild", WARN, text, fix))
    if model is not None:
        text = f"{indexed:,} users have a place in the space {model.release.space} of the release in use"
        checks.append(Check("users", OK, text))
    return checks


def _policy(info: Mapping[str, Any]) -> Check:
    policy = info.get("maxmemory_policy")
    if policy == POLICY:
        return Check("redis policy", OK, f"maxmemory-policy {policy}")
    if policy is None:
        return Check(
            "redis policy", WARN, "Redis does not tell its maxmemory-policy", f"see that it is {POLICY}"
        )
    text = f"maxmemory-policy {policy} drops users' states when memory is short"
    return Check("redis policy", FAIL, text, f"CONFIG SET maxmemory-policy {POLICY}, and in redis.conf")


def _memory(info: Mapping[str, Any]) -> Check:
    used, limit = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    text = f"{_megabytes(used)} used"
    if not limit:
        return Check("redis memory", OK, f"{text}, no maxmemory")
    text += f" of {_megabytes(limit)}"
    if used > 0.9 * limit:
        return Check("redis memory", WARN, text, "raise maxmemory: Redis refuses writes when it is full")
    return Check("redis memory", OK, text)


def _persistence(info: Mapping[str, Any]) -> Check:
    if info.get("aof_enabled"):
        return Check("redis persistence", OK, "the append-only file is on")
    text = "the append-only file is off: after a restart the lanes fold the log again"
    return Check("redis persistence", WARN, text, "CONFIG SET appendonly yes, and in redis.conf")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
