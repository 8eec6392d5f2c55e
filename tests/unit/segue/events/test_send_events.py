"""A sender that cannot reach Kafka; the good ways are tested on a real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schemas.errors import BadSetting, Unreachable
from segue.connect import wait_for_servers
from segue.connect.wait_for_servers import short_patience
from segue.events import send_events
from segue.events.send_events import Outgoing, Sender, Sent

NOBODY = {"bootstrap.servers": "127.0.0.1:1"}
EVENT = Outgoing("signups", b"7", b"{}", "events.jsonl, line 4")


def test_an_event_that_is_not_delivered_in_time_is_named_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wait_for_servers, "PATIENCE_S", 1.0)
    sender = Sender(NOBODY, "murmur2")

    with pytest.raises(
        Unreachable, match=r"did not take the event of events.jsonl, line 4 within 1 s \(.*refused"
    ):
        sender.send([EVENT])

    assert sender.count == 0


def test_no_more_events_wait_than_can_be_delivered_before_their_deadline() -> None:
    with short_patience(1.0):
        sender = Sender(NOBODY, "murmur2")
    taken = [0]
    with pytest.raises(Unreachable, match="within 1 s"):
        sender.send([EVENT] * 1_000, taken.append)
    assert taken[-1] == send_events._QUEUED_A_SECOND


def test_a_kafka_that_takes_nothing_is_waited_for_aloud_as_long_as_a_user_would(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends it, and does not wait for what is on its way to nobody."""
    monkeypatch.setattr(wait_for_servers, "QUIET_S", 0.2)
    monkeypatch.setattr(send_events, "_SETTLE_S", 0.2)
    monkeypatch.setattr(Sender, "_flush", lambda sender: until_said(sender, capsys))
    sender = Sender(NOBODY, "murmur2")

    with pytest.raises(KeyboardInterrupt):
        sender.send([EVENT])

    assert sender.count == 0


def until_said(sender: Sender, capsys: pytest.CaptureFixture[str]) -> None:
    """Waits as the sender does; ctrl-C comes when it has said so."""
    told = ""
    while not told:
        sender._producer.flush(0.1)
        sender._look()
        told = capsys.readouterr().err
    assert told.startswith("Kafka at 127.0.0.1:1 takes no event (")
    assert "Connection refused" in told
    assert told.endswith(" UTC, for 5 minutes at most; ctrl-C ends it.\n")
    raise KeyboardInterrupt


def test_what_goes_wrong_between_events_is_not_hidden_by_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send_events, "_SETTLE_S", 0.2)

    def events() -> Iterator[Outgoing]:
        yield EVENT
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Sender(NOBODY, "murmur2").send(events())


def test_settings_that_the_client_does_not_know_are_one_sentence() -> None:
    with pytest.raises(
        BadSetting, match="setting kafka_options is refused by Kafka's client: No such configuration property"
    ):
        Sender({**NOBODY, "no.such.option": "1"}, "murmur2")


def test_the_rate_is_of_all_events() -> None:
    sent = Sent({"signups": 3, "orders": 7}, 2.0)

    assert (sent.events, sent.per_second) == (10, 5.0)
