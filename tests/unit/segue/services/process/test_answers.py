"""A check of a server that does not answer."""

import os
import signal
from types import FrameType

import pytest
from confluent_kafka import KafkaError, KafkaException

from segue import interruption
from segue.services.process import answers


def test_a_signal_at_the_end_of_a_client_waits_until_the_client_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The C code of a client's end sets an exception where nobody looks, and Python goes on."""
    steps = []

    class Client:
        def __init__(self, _: object) -> None:
            pass

        def list_topics(self, timeout: float) -> object:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))

        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            steps.append("the client is gone")

    class Signals(interruption._Signals):
        def on_signal(self, number: int, frame: FrameType | None) -> None:
            try:
                super().on_signal(number, frame)
            except KeyboardInterrupt:
                steps.append("raised within the client's end")

    signals = Signals()
    monkeypatch.setattr(interruption, "_signals", signals)
    monkeypatch.setattr(answers, "AdminClient", Client)
    former = signal.signal(signal.SIGINT, signals.on_signal)
    try:
        with pytest.raises(KeyboardInterrupt):
            answers.kafka_answers("127.0.0.1:1")
    finally:
        signal.signal(signal.SIGINT, former)
    assert steps == ["the client is gone"]
