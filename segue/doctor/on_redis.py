"""Checks of Redis: each server, its rights and persistence, the lanes' places and the users."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, cast

import redis
from msgspec.structs import replace
from redis.cluster import RedisCluster

from schemas.errors import LoginRefused, SegueError, Unusable
from segue.config.settings import Settings
from segue.connect.live_prefix import followed
from segue.doctor.check import FAIL, OK, WARN, Check, worst
from segue.doctor.places import check_places
from segue.refill.rebuild_lease import standing
from streamer.place.redis_keys import Keys
from streamer.redis.node_urls import is_cluster
from streamer.redis.redis_client import POLICY, address_of_server, connect, primaries, reaching
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
    infos = {} if INFO in trial.missing else _infos(settings)
    versions = sorted({str(info["redis_version"]) for info in infos.values() if "redis_version" in info})
    version = f"version {' and '.join(versions)}" if versions else "its version is not known"
    checks += [Check("redis", OK, f"{settings.redis_address} answers: {version}"), _rights(trial)]
    checks += _cluster(settings)
    if infos:
        checks += [_worst_of(infos, check) for check in (_policy, _memory, _persistence)]
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
        space, url = model.release.space, settings.redis
        keys = Keys(followed(settings, _DEADLINE_S).redis_prefix, tagged=is_cluster(url))
        with closing(connect(url, _DEADLINE_S)) as client, reaching(url):
            indexed = sum(client.zcard(key) for key in keys.all_angles(space, lanes or 0))
        text = f"{indexed:,} users have a place in the space {space} of the release in use"
        checks.append(Check("users", OK, text))


def _infos(settings: Settings) -> dict[str, Mapping[str, Any]]:
    """Return what each server tells of itself, by address; of a cluster the primaries.

    ``cuts`` is whether the server cuts a broken append-only file by itself; False if it does not show this.
    """
    infos: dict[str, Mapping[str, Any]] = {}
    with closing(connect(settings.redis, _DEADLINE_S)) as client, reaching(settings.redis):
        for server in primaries(client):
            info = cast(Mapping[str, Any], server.info())
            infos[address_of_server(server)] = {**info, "cuts": _cuts(server)}
    return infos


def _worst_of(infos: Mapping[str, Mapping[str, Any]], check: Callable[[Mapping[str, Any]], Check]) -> Check:
    """Return the check of the one server; of a cluster, that of the worst primary, which it names."""
    checks = {address: check(info) for address, info in infos.items()}
    state = worst([*checks.values()])
    address, found = next((at, found) for at, found in checks.items() if found.state == state)
    return found if len(checks) == 1 else replace(found, text=f"{address}: {found.text}")


def _cluster(settings: Settings) -> list[Check]:
    """Check that each primary of a cluster has a replica; no check of a single server."""
    with closing(connect(settings.redis, _DEADLINE_S)) as client:
        if not isinstance(client, RedisCluster):
            return []
        nodes = {nodes[0].name: len(nodes) - 1 for nodes in client.nodes_manager.slots_cache.values()}
    text = f"{len(nodes)} primaries with {sum(nodes.values())} replicas"
    alone = sorted(name for name, replicas in nodes.items() if not replicas)
    if not alone:
        return [Check("redis cluster", OK, text)]
    fix = "give each primary a replica: without one, a primary that fails stops every lane until it is back"
    return [Check("redis cluster", WARN, f"{text}; {', '.join(alone)} has none", fix)]


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


def _cuts(server: redis.Redis) -> bool:
    try:
        shown = cast(Mapping[str, str], server.config_get("aof-load-truncated"))
    except redis.RedisError:
        return False
    return shown.get("aof-load-truncated") == "yes"


def _persistence(info: Mapping[str, Any]) -> Check:
    if info.get("aof_enabled") and info["cuts"] and info.get("server_name") != "valkey":
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
