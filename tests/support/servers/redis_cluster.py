"""A Redis Cluster on this machine: three primaries, each with a replica."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis
from redis.cluster import ClusterNode, RedisCluster
from redis.crc import key_slot

from segue.services import LocalRedis
from tests.support.servers.services import eventually, start_server

_SHARDS = 3
_SLOTS = 16_384
_SCHEME = "redis+cluster://"
Client = redis.Redis | RedisCluster


class Node(LocalRedis):
    """One node of a cluster.

    Args:
        timeout_ms: the node counts as dead to the others after so many milliseconds without an answer.
    """

    port_count = 2  # for clients, and for the other nodes

    def __init__(self, directory: Path | None, timeout_ms: int, *, repair: bool) -> None:
        options = {
            "cluster-enabled": "yes",
            "cluster-node-timeout": str(timeout_ms),
            # A replica stays with its shard.
            "cluster-allow-replica-migration": "no",
            "repl-diskless-sync-delay": "0",
        }
        super().__init__(directory, options=options, repair=repair)

    def _prepare(self, directory: Path, ports: Sequence[int]) -> Sequence[str]:
        self._options["cluster-port"] = str(ports[1])
        return super()._prepare(directory, ports)

    @property
    def bus_port(self) -> int:
        """The port for the other nodes."""
        return self._ports[1]

    def ask(self, *words: object) -> Any:
        """Return the answer to one command."""
        with redis.Redis.from_url(self.url, socket_timeout=60) as client:
            return client.execute_command(*words)

    def info(self, section: str) -> Any:
        """Return one section of INFO."""
        return self.ask("INFO", section)

    @property
    def is_primary(self) -> bool:
        """Whether the node runs and takes writes."""
        try:
            return bool(self.running and self.info("replication")["role"] == "master")
        except redis.RedisError:
            return False


class LocalCluster:
    """Three shards; each has a part of the slots, a primary, and a replica if wanted.

    Attributes:
        shards: the nodes of each shard; which one is the primary may change.

    Args:
        folder: the folder for the nodes' files; by default each has a temporary one.
        replicas: how many replicas each primary has.
        timeout_ms: see :class:`Node`.
        repair: whether each start cuts off an unfinished save.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        replicas: int = 1,
        timeout_ms: int = 5_000,
        repair: bool = True,
    ) -> None:
        self._folder = folder

        def directory(name: str) -> Path | None:
            if folder is None:
                return None
            (folder / name).mkdir(parents=True)
            return folder / name

        self.shards = [
            [Node(directory(f"{shard}-{i}"), timeout_ms, repair=repair) for i in range(1 + replicas)]
            for shard in range(_SHARDS)
        ]
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            for node in self.nodes:
                start_server(starting, node)
            self._stack = starting.pop_all()
        try:
            self._join()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all nodes."""
        self._stack.close()

    def kill(self) -> None:
        """Kill all nodes. Their data stay as they are."""
        for node in self.nodes:
            node.kill()

    @property
    def directory(self) -> Path:
        """The folder with the files of all nodes."""
        assert self._folder is not None, "each node has its own folder"
        return self._folder

    @property
    def nodes(self) -> list[Node]:
        """All nodes."""
        return [node for shard in self.shards for node in shard]

    @property
    def url(self) -> str:
        """The setting `redis`; it names every node."""
        return _SCHEME + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def primary(self, shard: int) -> Node:
        """Wait until the shard has one primary, and return it."""

        def only() -> Node | None:
            found = [node for node in self.shards[shard] if node.is_primary]
            return found[0] if len(found) == 1 else None

        return eventually(only, f"one primary of shard {shard}")

    def replica(self, shard: int) -> Node:
        """Return the first node of the shard that is no primary."""
        primary = self.primary(shard)
        return next(node for node in self.shards[shard] if node is not primary)

    def shard_of(self, key: str) -> int:
        """Return the shard that has a key."""
        borders = [bound * _SLOTS // _SHARDS for bound in range(1, _SHARDS)]
        return sum(key_slot(key.encode()) >= border for border in borders)

    def fail_over(self, shard: int) -> Node:
        """Kill the shard's primary; return its former replica when this is the primary."""
        primary, replica = self.primary(shard), self.replica(shard)
        primary.kill()
        eventually(lambda: replica.is_primary, "the replica has taken over")
        return replica

    def move_slot(self, key: str, source: Node, target: Node) -> None:
        """Move the slot of a key, with all its keys, from one primary to another."""
        slot = source.ask("CLUSTER", "KEYSLOT", key)
        source_id, target_id = (node.ask("CLUSTER", "MYID").decode() for node in (source, target))
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 10_000, "KEYS", *keys)
        for node in (target, source):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", target_id)

    def whole(self) -> None:
        """Wait until every node runs, every slot is served, and every replica follows its primary."""
        for node in self.nodes:
            eventually(lambda node=node: _is_well(node, len(self.nodes)), f"{node.url} is well")  # type: ignore[misc]

    def _join(self) -> None:
        first, *others = self.nodes
        for epoch, node in enumerate(self.nodes, 1):
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", epoch)
        for other in others:
            first.ask("CLUSTER", "MEET", "127.0.0.1", other.port, other.bus_port)
        borders = [bound * _SLOTS // _SHARDS for bound in range(_SHARDS + 1)]
        for (primary, *replicas), (begin, end) in zip(self.shards, pairwise(borders), strict=True):
            primary.ask("CLUSTER", "ADDSLOTS", *range(begin, end))
            primary_id = primary.ask("CLUSTER", "MYID").decode()
            for replica in replicas:
                eventually(
                    lambda replica=replica, known=primary_id: known in str(replica.ask("CLUSTER", "NODES")),  # type: ignore[misc]
                    "the replica knows its primary",
                )
                replica.ask("CLUSTER", "REPLICATE", primary_id)
        self.whole()


def _is_well(node: Node, nodes: int) -> bool:
    try:
        state = node.ask("CLUSTER", "INFO")
        followed = node.info("replication")
    except redis.RedisError:
        return False
    found = dict(line.split(":") for line in state.decode().split())
    return (
        found["cluster_state"] == "ok"
        and int(found["cluster_known_nodes"]) == nodes
        and int(found["cluster_slots_ok"]) == _SLOTS
        and (followed["role"] == "master" or followed["master_link_status"] == "up")
    )


@contextmanager
def opened_redis(url: str) -> Iterator[Client]:
    """Yield a client of the server or of the cluster that the setting `redis` names."""
    if not url.startswith(_SCHEME):
        with redis.Redis.from_url(url, socket_timeout=60) as client:
            yield client
        return
    hosts = url.removeprefix(_SCHEME).partition("/")[0].rpartition("@")[2].split(",")
    nodes = [ClusterNode(*host.split(":")) for host in hosts]  # type: ignore[no-untyped-call]
    cluster = RedisCluster(startup_nodes=nodes, socket_timeout=60)
    try:
        yield cluster
    finally:  # redis-py's own close leaves connections open
        cluster.disconnect_connection_pools()  # type: ignore[no-untyped-call]
        cluster.close()


def lane_name(url: str, lane: int) -> str:
    """Return how the name of a key names a lane (docs/redis.md)."""
    return f"{{{lane}}}" if url.startswith(_SCHEME) else str(lane)
