"""The names of topics that a command creates."""

import pytest

from segue.config.command_line import BadUsage
from segue.config.settings import Settings
from segue.connect.own_topic import prepare_own_topic


@pytest.mark.parametrize("name", ["a b", "a/b", "..", "ä", "x" * 250])
def test_a_name_that_kafka_refuses_is_refused_before_kafka_is_asked(name: str) -> None:
    with pytest.raises(BadUsage, match="Kafka's names take letters, digits"):
        prepare_own_topic(Settings(), "--to-topic", name, 1)
