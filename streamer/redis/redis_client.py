"""A connection to Redis, a check of its settings, and its failures as readable errors."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager

import redis

from schemas.errors import BadStore, LoginRefused, Unreachable, Unusable

TIMEOUT_S = 10.0
POLICY = "noeviction"
# The words of Redis 7.0, and the words of Redis 7.2.
_IN_SCRIPT = re.compile(r"user executing the script can't|ACL failure in script")

# The answers to a login without a password: to HELLO, and to any other command.
_WANTS_LOGIN = re.compile(r"HELLO must be called|Authentication required")
_LOGIN = "the setting redis: redis://USER:PASSWORD@HOST:PORT/0"
_NO_DATABASE = re.compile(r"DB index is out of range|SELECT is not allowed")


def connect(url: str, timeout_s: float = TIMEOUT_S) -> redis.Redis:
    """A client that never retries, so an outage raises an error at once; the lane decides when to retry."""
    return redis.Redis.from_url(
        url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=None, decode_responses=False
    )


def address_of(client: redis.Redis) -> str:
    """The address that a client connects to, without the password."""
    at = client.get_connection_kwargs()
    return str(at.get("path") or f"{at.get('host', 'localhost')}:{at.get('port', 6379)}")


def check_policy(client: redis.Redis) -> str | None:
    """Check that Redis does not evict keys.

    The policy is read with ``INFO``, because managed services that forbid ``CONFIG`` allow ``INFO``.

    Returns:
        None if all is well. A warning if Redis does not show its policy.

    Raises:
        BadStore: Redis may evict keys. A user whose state is evicted would begin again from nothing.
        Unreachable: Redis does not answer.
    """
    address = address_of(client)
    with reaching(address):
        try:
            policy = client.info("memory").get("maxmemory_policy")
        except redis.ResponseError as error:
            if is_no_database(error):
                raise
            policy = None
    if policy is None:
        return f"Redis at {address} does not show its maxmemory-policy: make sure that it is {POLICY}"
    if policy != POLICY:
        raise BadStore(
            f"Redis at {address} has maxmemory-policy {policy}, so it may drop users' states:"
            f" set it to {POLICY} (CONFIG SET maxmemory-policy {POLICY}, and in redis.conf)"
        )
    return None


def policy_doubt(url: str, timeout_s: float = TIMEOUT_S) -> str | None:
    """The result of :func:`check_policy`, over a new connection."""
    with closing(connect(url, timeout_s)) as client:
        return check_policy(client)


@contextmanager
def reaching(address: str) -> Iterator[None]:
    """Turn every failure of Redis into an error of one sentence; the result of a failed write is unknown."""
    try:
        yield
    except redis.AuthenticationError as error:
        if _WANTS_LOGIN.search(str(error)):
            raise LoginRefused(f"Redis at {address} wants a password: give it in {_LOGIN}") from None
        reason = str(error).rstrip(".")
        raise LoginRefused(
            f"Redis at {address} refuses the password or user: {reason}; correct them in {_LOGIN}"
        ) from None
    except (redis.ConnectionError, redis.TimeoutError, redis.exceptions.RedisClusterException) as error:
        raise Unreachable(f"Redis at {address} does not answer: {error}") from None
    except (redis.exceptions.MovedError, redis.exceptions.ClusterCrossSlotError) as error:
        raise Unusable(f"Redis at {address} is a Redis Cluster, and this takes one server: {error}") from None
    except redis.RedisError as error:
        if is_no_database(error):
            raise Unusable(
                f"Redis at {address} has no such database ({error}): correct the number that ends the setting"
                " redis, such as /0"
            ) from None
        if _is_forbidden(error):
            raise Unusable(
                f"Redis at {address} forbids this login what Segue needs ({error}): docs/redis.md lists the"
                " rights, and `segue doctor` names those that are missing"
            ) from None
        raise Unreachable(f"Redis at {address} refuses: {error}") from None


def is_no_database(error: redis.RedisError) -> bool:
    """Whether the database in the URL does not exist; every command on a new connection gets this error."""
    return _NO_DATABASE.search(str(error)) is not None


def _is_forbidden(error: redis.RedisError) -> bool:
    """Whether Redis's access rules (ACL) forbid the command, or forbid it inside a script."""
    return isinstance(error, redis.exceptions.NoPermissionError) or _IN_SCRIPT.search(str(error)) is not None
