"""Checks whether this login may run Segue's commands in Redis: each command is tried on test keys."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import redis

from schemas.errors import Unusable
from streamer.place.redis_keys import Keys
from streamer.redis.node_urls import is_cluster
from streamer.redis.redis_client import (
    FROM_A_CLUSTER,
    TIMEOUT_S,
    Client,
    address_of_server,
    connect,
    is_no_database,
    primaries,
    reaching,
    server_of,
)

INFO = "info"
_KEYS = "keys"
# The test key expires, even if the login may not delete it.
_LIFE_MS = "60000"
_SCRIPT = "return redis.call('GET', KEYS[1])"
_SHA = "d3c21d0c2b9ca22f82737626a27bcaf5d288f99f"
Command = tuple[str, Sequence[str]]
"""A right as an ACL names it, and a command that needs it."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of the tried commands.

    Attributes:
        address: the address of Redis, for people.
        user: the login's name.
        pattern: the pattern of the tried keys, as an ACL names them.
        missing: the rights that are not granted, as an ACL names them; ``keys`` for the keys themselves.
        refusal: Redis's words for the first other refusal, for example if Redis is full or read-only; None
            if there was no other refusal.
    """

    address: str
    user: str
    pattern: str
    missing: tuple[str, ...]
    refusal: str | None

    @property
    def problem(self) -> str | None:
        """A sentence that names the missing rights; None if a worker can work, for example without INFO."""
        needed = [right for right in self.missing if right != INFO]
        if not needed:
            return None
        names = " ".join(
            right.replace("|", " ").upper() if right != _KEYS else self.pattern for right in needed
        )
        return f"Redis at {self.address} does not allow the user {self.user} what Segue needs: {names}"

    @property
    def fix(self) -> str:
        """The command that grants the missing rights."""
        granted = " ".join(f"~{self.pattern}" if right == _KEYS else f"+{right}" for right in self.missing)
        return f"ACL SETUSER {self.user} {granted}"


def check_rights(url: str, prefix: str, timeout_s: float = TIMEOUT_S) -> None:
    """Check that this login may run all of Segue's commands.

    Raises:
        Unusable: a right is missing, or the URL names one server and there is a Redis Cluster, or conversely.
        Unreachable: Redis does not answer.
    """
    trial = try_rights(url, prefix, timeout_s)
    if trial.problem is not None:
        raise Unusable(f"{trial.problem}: {trial.fix}")


def try_rights(url: str, prefix: str, timeout_s: float = TIMEOUT_S) -> Trial:
    """Try every command that Segue uses, on test keys that do not stay.

    On a Redis Cluster each primary is tried, because each node has its own access rules.

    Args:
        url: the address of Redis.
        prefix: the setting ``redis_prefix``. The test keys lie under it.
        timeout_s: after this many seconds without an answer, Redis counts as unreachable.

    Returns:
        The result; on a Redis Cluster, that of the first primary with something missing or refused.

    Raises:
        Unusable: the URL names one server and there is a Redis Cluster, or conversely; or Redis does not know
            a command.
        Unreachable: Redis does not answer, or refuses the login.
    """
    keys = Keys(prefix, tagged=is_cluster(url))
    with closing(connect(url, timeout_s)) as client, reaching(url):
        trials = [_tried(server, _key_on(client, server, keys), prefix) for server in primaries(client)]
    return next((trial for trial in trials if trial.missing or trial.refusal), trials[0])


def _key_on(client: Client, server: redis.Redis, keys: Keys) -> str:
    """A test key that this server has; a cluster spreads them over its nodes."""
    while True:
        key = keys.trial(uuid.uuid4().hex)
        if server_of(client, key) is server:
            return key


def _tried(server: redis.Redis, key: str, prefix: str) -> Trial:
    address = address_of_server(server)
    tried = [_try(server, address, right, words) for right, words in _commands(key)]
    user = str(server.get_connection_kwargs().get("username") or "default")
    missing = dict.fromkeys(right for right, _ in tried if right is not None)
    refusal = next((refused for _, refused in tried if refused is not None), None)
    return Trial(address, user, f"{prefix}*", tuple(missing), refusal)


def _commands(key: str) -> Iterator[Command]:
    """Every command that any program of Segue uses; docs/redis.md lists the same commands."""
    text, user, users = f"{key}:place", f"{key}:user", f"{key}:swept"
    yield INFO, ("INFO", "memory")
    yield "set", ("SET", text, "1", "PX", _LIFE_MS)
    yield "get", ("GET", text)
    yield "mget", ("MGET", text)
    yield "incr", ("INCR", text)
    yield "hset", ("HSET", user, "state", "1", "segment", "1")
    yield "hget", ("HGET", user, "state")
    yield "hmget", ("HMGET", user, "state", "segment")
    yield "hgetall", ("HGETALL", user)
    yield "zadd", ("ZADD", users, "1", "7")
    yield "zcard", ("ZCARD", users)
    yield "zcount", ("ZCOUNT", users, "-inf", "+inf")
    yield "zrange", ("ZRANGE", users, "0", "1")
    yield "zscan", ("ZSCAN", users, "0")
    yield "zscore", ("ZSCORE", users, "7")
    yield "zmscore", ("ZMSCORE", users, "7")
    yield "script|load", ("SCRIPT LOAD", _SCRIPT)
    yield "evalsha", ("EVALSHA", _SHA, "2", text, user)
    yield "exists", ("EXISTS", user)
    yield "scan", ("SCAN", "0", "COUNT", "1")
    yield "exec", ("EXEC",)
    yield "multi", ("MULTI",)
    # Redis deletes an empty hash or sorted set, so these remove the test keys even without the right to DEL.
    yield "hdel", ("HDEL", user, "state", "segment")
    yield "zrem", ("ZREM", users, "7")
    yield "del", ("DEL", text, user, users)
    yield "unlink", ("UNLINK", text, user, users)


def _try(
    client: redis.Redis, address: str, right: str, words: Sequence[str]
) -> tuple[str | None, str | None]:
    """The right that is missing, and Redis's words for any other refusal; None for each if there is none."""
    try:
        client.execute_command(*words)  # type: ignore[no-untyped-call]
    except redis.exceptions.NoPermissionError as error:
        return _KEYS if "key" in str(error) else right, None
    except redis.exceptions.ExecAbortError:
        return right, None  # Redis refuses EXEC with this error if the right is missing
    except FROM_A_CLUSTER:
        raise
    except redis.exceptions.NoScriptError:
        return None, None  # the script was not loaded, so the right script|load is already in the result
    except redis.ResponseError as error:
        if is_no_database(error):
            raise
        if "unknown command" in str(error) and right != INFO:
            raise Unusable(
                f"Redis at {address} does not know {words[0]}: Segue needs Redis 6.2 or newer, with scripts"
                " and without renamed commands"
            ) from None
        return None, None if right == "exec" else str(error)  # EXEC without MULTI is an error
    finally:
        if right == "multi":
            client.connection_pool.disconnect()  # ends the transaction that MULTI began
    return None, None
