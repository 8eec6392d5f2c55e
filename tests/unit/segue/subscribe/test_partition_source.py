"""Where a partition begins, by the reader's memory and the group's offset."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from segue.connect.wait_for_servers import Wait
from segue.subscribe.change_filter import Known
from segue.subscribe.partition_source import PartitionSource
from segue.subscribe.reader_memory import Reached, ReaderMemory
from streamer.kafka.kafka_admin import TopicFacts

DUE = Reached(5, states_due=True)
MET = Known("ab", 3)


@pytest.fixture
def source() -> Iterator[PartitionSource]:
    memory = ReaderMemory(None, {})
    made = PartitionSource(
        {"bootstrap.servers": "127.0.0.1:9"},
        "segment-changes",
        {"segment-changes": TopicFacts("an id", 4)},
        group="shop",
        start="states",
        memory=memory,
        admin=cast("Any", SimpleNamespace(stable_end=None)),
        wait=Wait("Kafka", lambda sentence: None),
        on_begin=lambda begun: None,
    )
    memory.learn(0, "7", MET)
    yield made
    made.close()
    memory.close()


@pytest.mark.parametrize(
    ("known", "committed", "begin", "met"),
    [
        (Reached(9), Reached(5), Reached(9), MET),
        (Reached(9), None, Reached(9), MET),
        (Reached(5), Reached(9), Reached(9), None),
        (DUE, DUE, DUE, MET),
        (DUE, Reached(5), Reached(5), None),  # another reader of the group handed the states out
    ],
)
def test_a_partition_begins_where_the_group_is_if_another_reader_has_gone_on(
    source: PartitionSource, known: Reached, committed: Reached | None, begin: Reached, met: Known | None
) -> None:
    memory = source._memory
    memory.reach(0, known)
    assert source._begin(source._consumer, 0, committed) == begin
    assert memory.reached(0) == begin
    assert memory.known(0, "7") == met
