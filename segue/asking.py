"""A question to Kafka, asked again while its answer is that things are not settled yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from confluent_kafka import KafkaException

from streamer.kafka_client import Reports, error_of, is_passing, is_unknown, unreachable, why

Answer = TypeVar("Answer")

_RETRY_S = 0.1


def answered(
    question: Callable[[], Answer],
    client: Mapping[str, str],
    reports: Reports,
    *,
    task: str,
    deadline_s: float,
) -> Answer:
    """The answer; a topic just made has no leader yet, and a broker may be on its way.

    Args:
        question: asks once, with a timeout of its own.
        task: what Kafka was to do, for the message.

    Raises:
        Unreachable: there is none in time.
    """
    end_s = time.monotonic() + deadline_s
    while True:
        try:
            return question()
        except KafkaException as error:
            told = error_of(error)
            if not (is_passing(told) or is_unknown(told)) or time.monotonic() >= end_s:
                raise unreachable(client, task, why(told, reports)) from None
        time.sleep(_RETRY_S)
