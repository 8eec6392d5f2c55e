"""A sender that cannot reach Kafka; the good ways are tested on a real one."""

from __future__ import annotations

import pytest

from schemas.errors import BadSetting, Unreachable
from segue import sending
from segue.sending import Outgoing, Sender, Sent

NOBODY = {"bootstrap.servers": "127.0.0.1:1"}
EVENT = Outgoing("signups", b"7", b"{}", "events.jsonl, line 4")


def test_an_event_that_is_not_delivered_in_time_is_named_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "_DELIVERY_TIMEOUT_S", 1.0)
    sender = Sender(NOBODY, "murmur2")

    with pytest.raises(
        Unreachable, match=r"did not take the event of events.jsonl, line 4 within 1 s \(.*refused"
    ):
        sender.send([EVENT])

    assert sender.count == 0


def test_what_goes_wrong_between_events_is_not_hidden_by_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_DELIVERY_TIMEOUT_S", 1.0)

    def events():  # type: ignore[no-untyped-def]
        yield EVENT
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Sender(NOBODY, "murmur2").send(events())


def test_settings_that_the_client_does_not_know_are_one_sentence() -> None:
    with pytest.raises(
        BadSetting, match="Kafka's client refuses its settings: No such configuration property"
    ):
        Sender({**NOBODY, "no.such.option": "1"}, "murmur2")


def test_the_rate_is_of_all_events() -> None:
    sent = Sent({"signups": 3, "orders": 7}, 2.0)

    assert (sent.events, sent.per_second) == (10, 5.0)
