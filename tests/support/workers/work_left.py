"""The remaining work of a deployment's lanes, so that a test can strike in the middle of the work."""

from __future__ import annotations

import time
from collections.abc import Collection

from confluent_kafka import Consumer, TopicPartition

from tests.support.servers.deployment import Deployment, WorkerProcess
from tests.support.servers.services import end_of, eventually


def work_left(deployment: Deployment, lanes: Collection[int] | None = None) -> int:
    """Return the number of records after the group's committed offsets, in these lanes; None: in all.

    Only the producers' topics count: they hold no transactions, so each offset is a record.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": deployment.bootstrap,
            "group.id": deployment.environment["SEGUE_GROUP"],
            # Read the present offsets; by default the consumer waits until no transaction is open.
            "isolation.level": "read_uncommitted",
            "log_level": 0,
        }
    )
    wanted = [
        TopicPartition(topic, lane)
        for topic in deployment.topics.sources
        for lane in (deployment.lanes if lanes is None else lanes)
    ]
    try:
        return sum(
            end_of(consumer, at.topic, at.partition) - max(0, at.offset)
            for at in consumer.committed(wanted, 10)
        )
    finally:
        consumer.close()


def paused_in_the_middle(worker: WorkerProcess, deployment: Deployment, before: int, sent: int) -> None:
    """Let a paused worker go on until some of its work is done, and pause it again while some is left.

    Args:
        before: the remaining records when the worker was paused.
        sent: the number of records sent since then.

    Raises:
        TooFast: the worker did everything between two looks.
    """

    def some_done() -> bool:
        worker.resume()
        time.sleep(0.05)  # the worker works so long between two looks
        worker.pause()
        left = work_left(deployment)
        if left == 0:
            raise TooFast(f"{before + sent} events are applied between two looks")
        return left < before + sent

    eventually(some_done, "the worker in the middle", every_s=0)


class TooFast(Exception):
    """The worker has no work left; a further look is useless."""
