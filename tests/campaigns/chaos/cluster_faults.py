"""The faults of a Redis Cluster; each fault repairs its damage before it returns."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

from segue.services import LocalKafka
from tests.campaigns.chaos.deleted_keys import delete_one_by_one
from tests.campaigns.chaos.faults import cut_since, tear, written_to
from tests.campaigns.chaos.kafka_faults import SESSION_S, KafkaFaults
from tests.support.servers.redis_cluster import LocalCluster, Node
from tests.support.servers.services import eventually

_MOST_LOST_S = 2.0
_MOST_WAIT_S = 20.0
_NO_PASSWORD = "the primary has none"


class ClusterServers(KafkaFaults):
    """The faults of Kafka and of the nodes of a Redis Cluster.

    Attributes:
        store: the cluster that the workers use.
        cut_bytes: the bytes that each cut took from a node's append-only file.
        behind_bytes: the bytes that a replica lacked at each takeover.

    Args:
        lanes: the names of keys that lie where the lanes lie; faults hit their nodes.
        keeps_states: as in :class:`tests.campaigns.chaos.faults.Servers`.
    """

    def __init__(
        self,
        kafka: LocalKafka,
        store: LocalCluster,
        lanes: list[str],
        random: Random,
        *,
        keeps_states: bool = False,
    ) -> None:
        super().__init__(kafka, random)
        self.store = store
        self._lanes = lanes
        self.cut_bytes: list[int] = []
        self.behind_bytes: list[int] = []
        self.kinds |= {
            "kill -9 of a node, and its replica takes over": (self._fail_over, 4),
            "kill -9 of a node, and a replica that lacks the newest writes takes over": (self._fall_back, 4),
            "SIGSTOP of a node until its replica has taken over": (self._pause_node, 3),
            "SIGSTOP of a node for less than the cluster's timeout": (self._hold_node, 1),
            "kill -9 of a node, its AOF's tail cut": (self._cut_node, 3),
            "a planned failover": (self._swap, 2),
            "a lane's slot moves to another node and back": (self._move_slot, 2),
        }
        if not keeps_states:
            losing: dict[str, tuple[Callable[[], None], int]] = {
                "FLUSHALL of a node": (self._empty_node, 1),
                "the keys of all nodes deleted one by one": (self._delete_keys, 1),
                "kill -9 of a node, its AOF cut inside a save, and a restart in peace": (self._tear_node, 2),
            }
            self.kinds |= losing

    def close(self) -> None:
        """End the cluster."""
        self.store.close()

    def _shard(self) -> int:
        """Choose a shard that has a lane."""
        return self.store.shard_of(self._random.choice(self._lanes))

    def _fail_over(self) -> None:
        shard = self._shard()
        killed = self.store.primary(shard)
        self.store.fail_over(shard)
        self._back(killed)

    def _fall_back(self) -> None:
        """Fail over: the new primary lacks the writes since the replica lost its link."""
        shard = self._shard()
        primary, replica = self.store.primary(shard), self.store.replica(shard)
        # With a password for a primary that has none, the replica cannot follow again.
        replica.ask("CONFIG", "SET", "masterauth", _NO_PASSWORD)
        replica.ask("CLIENT", "KILL", "TYPE", "master")
        end_s = time.monotonic() + _MOST_WAIT_S
        while _offset(primary) == _offset(replica) and time.monotonic() < end_s:
            time.sleep(0.05)
        time.sleep(self._random.uniform(0, _MOST_LOST_S))
        self.behind_bytes.append(_offset(primary) - _offset(replica))
        self.store.fail_over(shard)
        replica.ask("CONFIG", "SET", "masterauth", "")
        self._back(primary)

    def _pause_node(self) -> None:
        """The paused node wakes up as a primary, until it hears of the other one."""
        shard = self._shard()
        primary, replica = self.store.primary(shard), self.store.replica(shard)
        primary.pause()
        eventually(lambda: replica.is_primary, "the replica has taken over")
        time.sleep(self._random.uniform(0, SESSION_S))
        primary.resume()
        self.store.whole()

    def _hold_node(self) -> None:
        primary = self.store.primary(self._shard())
        primary.pause()
        time.sleep(self._random.uniform(0.1, 1.0))
        primary.resume()

    def _cut_node(self) -> None:
        """Lose up to a second of writes: the node is back before its replica takes over."""
        primary = self.store.primary(self._shard())
        before = written_to(primary)
        primary.kill()
        self.cut_bytes.append(cut_since(before, primary, self._random))
        primary.start()
        self.store.whole()

    def _tear_node(self) -> None:
        self.cut_bytes.append(tear(self.store.primary(self._shard()), self._random))
        self.store.whole()

    def _swap(self) -> None:
        replica = self.store.replica(self._shard())
        replica.ask("CLUSTER", "FAILOVER")
        eventually(lambda: replica.is_primary, "the replica has taken over")
        self.store.whole()

    def _move_slot(self) -> None:
        lane = self._random.choice(self._lanes)
        owner = self.store.shard_of(lane)
        here = self.store.primary(owner)
        there = self.store.primary((owner + self._random.randint(1, 2)) % len(self.store.shards))
        self.store.move_slot(lane, here, there)
        time.sleep(self._random.uniform(0, 3))
        self.store.move_slot(lane, there, here)

    def _empty_node(self) -> None:
        self.store.primary(self._shard()).ask("FLUSHALL")

    def _delete_keys(self) -> None:
        delete_one_by_one(self.store.url, self._random)

    def _back(self, killed: Node) -> None:
        """Start a dead node again, and wait until it follows."""
        time.sleep(self._random.uniform(0, 2))
        killed.start()
        self.store.whole()


def _offset(node: Node) -> int:
    """Return how many bytes of writes the node has."""
    found = node.info("replication")
    return int(found["master_repl_offset"] if found["role"] == "master" else found["slave_repl_offset"])
