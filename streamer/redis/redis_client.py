"""A client of Redis, a check of its settings, and its failures as readable errors.

The URL says what there is: one server, or a Redis Cluster. Commands and stores get their clients here.
"""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Literal, cast

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import parse_url
from redis.retry import Retry

from schemas.errors import BadStore, LoginRefused, Unreachable, Unusable
from streamer.redis.node_urls import address_of, is_cluster, node_urls

TIMEOUT_S = 10.0
POLICY = "noeviction"
# The words of Redis 7.0, and the words of Redis 7.2.
_IN_SCRIPT = re.compile(r"user executing the script can't|ACL failure in script")

# The answers to a login without a password: to HELLO, and to any other command.
_WANTS_LOGIN = re.compile(r"HELLO must be called|Authentication required")
_LOGIN = "the setting redis: {scheme}://USER:PASSWORD@HOST:PORT/0"
_NO_DATABASE = re.compile(r"DB index is out of range|SELECT is not allowed")
_ONE_SERVER = "cluster support disabled"
# A cluster gives these answers to a client that knows only one server.
FROM_A_CLUSTER = (
    redis.exceptions.MovedError,
    redis.exceptions.AskError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.ClusterCrossSlotError,
)


class ClusterClient(RedisCluster):
    """A client of a Redis Cluster that leaves no connection open."""

    def clients_of(self, role: Literal["primary", "replica"]) -> list[redis.Redis]:
        """A client of each node with this role."""
        nodes = self.nodes_manager.get_nodes_by_server_type(role)
        return [self.get_redis_connection(node) for node in nodes]

    def node_of(self, key: str) -> ClusterNode:
        """The primary that has a key."""
        node: ClusterNode = self.get_node_from_key(key)  # type: ignore[no-untyped-call]
        return node

    def close(self) -> None:
        """Close the connections; redis-py's own close leaves them open."""
        self.disconnect_connection_pools()  # type: ignore[no-untyped-call]
        super().close()


Client = redis.Redis | ClusterClient


def connect(url: str, timeout_s: float = TIMEOUT_S) -> Client:
    """A client that never retries, so an outage raises an error at once; the lane decides when to retry.

    The client of one server connects with its first command. The client of a cluster connects at once, to
    learn which node has which keys.

    Raises:
        Unusable: the URL names a cluster, and there is one server.
        Unreachable: no node of the cluster answers.
    """
    if is_cluster(url):
        return _connect_cluster(url, timeout_s)
    return redis.Redis.from_url(
        url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=None, decode_responses=False
    )


def _connect_cluster(url: str, timeout_s: float) -> ClusterClient:
    first, *others = node_urls(url)
    with reaching(url):
        try:
            return ClusterClient(
                url=first,
                startup_nodes=[_node(other) for other in others],
                retry=Retry(NoBackoff(), 0),
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
            )
        except redis.exceptions.RedisClusterException as error:
            raise _reason_of(error) from None


def _node(url: str) -> ClusterNode:
    at = parse_url(url)  # type: ignore[no-untyped-call]
    return ClusterNode(at["host"], at.get("port", 6379))  # type: ignore[no-untyped-call]


def _reason_of(error: BaseException) -> BaseException:
    """What a node answered; redis-py reports only that it found no cluster."""
    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, redis.AuthenticationError | redis.ResponseError):
            return reason
        reason = reason.__cause__ or reason.__context__
    return error


def primaries(client: Client) -> list[redis.Redis]:
    """A client of each server that takes writes: of the one server, or of each primary of a cluster."""
    return client.clients_of("primary") if isinstance(client, ClusterClient) else [client]


def server_of(client: Client, key: str) -> redis.Redis:
    """A client of the server that has a key. Its pipelines run in order, and whole as transactions."""
    return client.get_redis_connection(client.node_of(key)) if isinstance(client, ClusterClient) else client


def scan_keys(client: Client, pattern: str, count: int) -> Iterator[list[bytes]]:
    """Yield the keys that match a pattern in batches, in no order; Redis may return a key more than once."""
    for server in primaries(client):
        cursor = 0
        while True:
            answer = server.scan(cursor, match=pattern, count=count)
            cursor, keys = cast(tuple[int, list[bytes]], answer)
            if keys:
                yield keys
            if cursor == 0:
                break


def address_of_server(server: redis.Redis) -> str:
    """The address of one server; in a cluster, of one node."""
    at = server.get_connection_kwargs()
    return str(at.get("path") or f"{at.get('host', 'localhost')}:{at.get('port', 6379)}")


def check_policy(url: str, timeout_s: float = TIMEOUT_S) -> str | None:
    """Check that Redis does not evict keys: the one server, or every node of a cluster that answers.

    The policy is read with ``INFO``, because managed services that forbid ``CONFIG`` allow ``INFO``.

    Returns:
        None if all is well. A warning if Redis does not show its policy.

    Raises:
        BadStore: Redis may evict keys. A user whose state is evicted would begin again from nothing.
        Unreachable: Redis does not answer.
    """
    doubts = []
    with closing(connect(url, timeout_s)) as client:
        with reaching(url):
            doubts += [_policy_doubt(server) for server in primaries(client)]
        # A replica may become a primary. One that is down now is no reason to wait.
        for replica in client.clients_of("replica") if isinstance(client, ClusterClient) else ():
            with suppress(redis.ConnectionError, redis.TimeoutError):
                doubts.append(_policy_doubt(replica))
    return next((doubt for doubt in doubts if doubt is not None), None)


def _policy_doubt(server: redis.Redis) -> str | None:
    address = address_of_server(server)
    try:
        policy = server.info("memory").get("maxmemory_policy")
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


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Turn every failure of Redis into an error of one sentence; the result of a failed write is unknown."""
    try:
        yield
    except (redis.RedisError, redis.exceptions.RedisClusterException) as error:
        raise _readable(error, url) from None


def _readable(error: Exception, url: str) -> Unreachable | Unusable:
    address, login = address_of(url), _LOGIN.format(scheme=url.partition("://")[0])
    if isinstance(error, redis.AuthenticationError):
        if _WANTS_LOGIN.search(str(error)):
            return LoginRefused(f"Redis at {address} wants a password: give it in {login}")
        reason = str(error).rstrip(".")
        return LoginRefused(
            f"Redis at {address} refuses the password or user: {reason}; correct them in {login}"
        )
    if isinstance(error, redis.ConnectionError | redis.TimeoutError | redis.exceptions.RedisClusterException):
        return Unreachable(f"Redis at {address} does not answer: {error}")
    if isinstance(error, FROM_A_CLUSTER) and not is_cluster(url):
        return Unusable(
            f"Redis at {address} is a Redis Cluster, and the setting redis names one server ({error}):"
            " begin the setting with redis+cluster:// (docs/redis.md)"
        )
    if _ONE_SERVER in str(error):
        return Unusable(
            f"Redis at {address} is one server, and the setting redis names a Redis Cluster: begin the"
            " setting with redis:// instead of redis+cluster://"
        )
    if is_no_database(error):
        return Unusable(
            f"Redis at {address} has no such database ({error}): correct the number that ends the setting"
            " redis, such as /0"
        )
    if _is_forbidden(error):
        return Unusable(
            f"Redis at {address} forbids this login what Segue needs ({error}): docs/redis.md lists the"
            " rights, and `segue doctor` names those that are missing"
        )
    return Unreachable(f"Redis at {address} refuses: {error}")


def is_no_database(error: Exception) -> bool:
    """Whether the database in the URL does not exist; every command on a new connection gets this error."""
    return _NO_DATABASE.search(str(error)) is not None


def _is_forbidden(error: Exception) -> bool:
    """Whether Redis's access rules (ACL) forbid the command, or forbid it inside a script."""
    return isinstance(error, redis.exceptions.NoPermissionError) or _IN_SCRIPT.search(str(error)) is not None
