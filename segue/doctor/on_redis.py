"""Checks of Redis: the server, its rights and persistence, the lanes' places and the users."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any, cast

import redis

from schemas.errors import LoginRefused, SegueError, Unusable
from segue.config.settings import Settings
from segue.connect.live_prefix import followed
from segue.doctor.check import FAIL, OK, WARN, Check
from segue.doctor.places import check_places
from segue.refill.rebuild_lease import standing
from streamer.place.redis_keys import Keys
from streamer.redis.redis_client import POLICY, connect, reaching
from streamer.redis.redis_rights import INFO, Trial, try_rights
from streamer.segment.active_model import ActiveModel

_DEADLINE_S = 5.0


def check_redis(settings: Settings, lanes: int | None, model: ActiveModel | None) -> list[Check]:
    """Run all checks of Redis.

    Args:
        settings: Kafka and Redis.
        lanes: the number of lanes; None if it is not known.
        model: the release in use, whose index counts the users; None if it is not known.
    """
    checks: list[Check] = []
    try:
        _look(checks, settings, lanes, model)
    except SegueError as error:
        fix = None if checks else _repair(error, settings)
        checks.append(Check("states" if checks else "redis", FAIL, str(error), fix))
    return checks


def _look(checks: list[Check], settings: Settings, lanes: int | None, model: ActiveModel | None) -> None:
    """Add the checks until Redis fails to answer."""
    trial = try_rights(settings.redis, settings.redis_prefix, _DEADLINE_S)
    info = {} if INFO in trial.missing else _info(settings)
    version = f"version {info['redis_version']}" if "redis_version" in info else "its version is not known"
    checks += [Check("redis", OK, f"{settings.redis_address} answers: {version}"), _rights(trial)]
    if info:
        checks += [_policy(info), _memory(info), _persistence(info, cuts=_cuts(settings))]
    if trial.problem is None:
        _add_states(checks, settings, lanes, model)


def _add_states(
    checks: list[Check], settings: Settings, lanes: int | None, model: ActiveModel | None
) -> None:
    if lanes is not None:
        checks += check_places(settings, lanes)
    left = standing(settings, _DEADLINE_S)
    if left is not None:
        text = f"a rebuild into {left} was begun, and not every lane has moved there"
        fix = f"segue rebuild --into {left} --switch, or --drop if no lane has moved"
        checks.append(Check("rebuild", WARN, text, fix))
    if model is not None:
        space, keys = model.release.space, Keys(followed(settings, _DEADLINE_S).redis_prefix)
        with closing(connect(settings.redis, _DEADLINE_S)) as client, reaching(settings.redis_address):
            indexed = client.zcard(keys.angles(space))
        text = f"{indexed:,} users have a place in the space {space} of the release in use"
        checks.append(Check("users", OK, text))


def _info(settings: Settings) -> Mapping[str, Any]:
    with closing(connect(settings.redis, _DEADLINE_S)) as client, reaching(settings.redis_address):
        return cast(Mapping[str, Any], client.info())


def _repair(error: SegueError, settings: Settings) -> str | None:
    if isinstance(error, LoginRefused):
        return None  # the message itself says what to do
    if isinstance(error, Unusable):
        return "see docs/redis.md for what Segue needs from Redis"
    if "redis" not in settings.model_fields_set:
        return "segue up starts one there, to try Segue with; or name yours by the setting redis"
    return "start it, or correct the setting redis"


def _rights(trial: Trial) -> Check:
    """Check that the login may do all that Segue does; the commands were tried, not looked up in the ACL."""
    if trial.problem is not None:
        return Check("redis rights", FAIL, trial.problem, trial.fix)
    if trial.refusal is not None:
        fix = "make sure that it is no replica and has room: the lanes wait until it takes writes"
        return Check("redis rights", FAIL, f"it refuses to write: {trial.refusal}", fix)
    if trial.missing:
        text = f"the user {trial.user} may not run INFO, so policy, memory and persistence are not known"
        return Check("redis rights", WARN, text, trial.fix)
    return Check("redis rights", OK, f"the user {trial.user} may do all that Segue does")


def _policy(info: Mapping[str, Any]) -> Check:
    policy = info.get("maxmemory_policy")
    if policy == POLICY:
        return Check("redis policy", OK, f"maxmemory-policy {policy}")
    if policy is None:
        return Check(
            "redis policy", WARN, "Redis does not show its maxmemory-policy", f"make sure that it is {POLICY}"
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


def _cuts(settings: Settings) -> bool:
    """Whether Redis cuts a broken append-only file by itself; False if it does not show this setting."""
    with closing(connect(settings.redis, _DEADLINE_S)) as client:
        try:
            shown = cast(Mapping[str, str], client.config_get("aof-load-truncated"))
        except redis.RedisError:
            return False
    return shown.get("aof-load-truncated") == "yes"


def _persistence(info: Mapping[str, Any], *, cuts: bool) -> Check:
    if info.get("aof_enabled") and cuts and info.get("server_name") != "valkey":
        text = (
            "the append-only file is on; repair it before Redis starts after a crash, else lanes may have to"
            " fold their logs again"
        )
        return Check("redis persistence", OK, f"{text} (docs/redis.md)")
    if info.get("aof_enabled"):
        return Check("redis persistence", OK, "the append-only file is on")
    text = "the append-only file is off: after a restart the lanes fold the log again"
    return Check("redis persistence", WARN, text, "CONFIG SET appendonly yes, and in redis.conf")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
