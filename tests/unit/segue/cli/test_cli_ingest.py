"""`segue ingest` that does not come to its end says how far it came, and how to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

import pytest

from segue.cli.main import run
from segue.connect import kafka_access
from segue.events import send_events
from segue.events.send_events import Outgoing

EVENT = b'{"topic": "signups", "key": "7", "value": {}}\n'


class Sender:
    """Sends two events, and is interrupted at the third."""

    count = 0
    last: Outgoing | None = None

    def __init__(self, *_: object, **__: object) -> None: ...

    def send(self, events: Iterable[Outgoing], progress: Callable[[int], None]) -> None:
        for event in events:
            if self.count == 2:
                raise KeyboardInterrupt
            self.count, self.last = self.count + 1, event
            progress(self.count)


class InDoubt(Sender):
    """The same, while some events are on their way."""

    @property
    def last(self) -> None:
        return None

    @last.setter
    def last(self, _: object) -> None: ...


def test_the_warehouse_is_not_sent_to_topics_of_another_form(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEGUE_EVENTS", '{"orders": {"form": "segment"}}')
    assert run(["ingest", "--warehouse", WAREHOUSE]) == 2
    assert capsys.readouterr().err == (
        "Error: --warehouse sends events in Segue's own form, and events.orders says that orders has another:"
        " fill the states by `segue bootstrap`, or take the setting out\n"
    )


WAREHOUSE = str(Path(__file__).parents[4] / "segue" / "data" / "thelook")


@pytest.mark.parametrize(
    ("sender", "source", "expected"),
    [
        (
            Sender,
            "events.jsonl",
            "Sent 2 events, up to events.jsonl, line 2. To go on, send the lines after it.\n",
        ),
        (InDoubt, "events.jsonl", "Sent 2 events, and no more.\n"),
        (
            InDoubt,
            "--warehouse",
            "Sent 2 events, and no more. Run it again: an event that is sent twice counts once.\n",
        ),
    ],
)
def test_it_says_how_far_it_came(
    sender: type[Sender],
    source: str,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(send_events, "Sender", sender)
    monkeypatch.setattr(kafka_access, "prepare_topics", lambda *_: 1)
    Path("events.jsonl").write_bytes(3 * EVENT)

    assert run(["ingest", source, *([WAREHOUSE] if source == "--warehouse" else [])]) == 130

    assert capsys.readouterr().err == expected


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_told_before_kafka_is_asked(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fail(*_: object) -> NoReturn:
        raise AssertionError("Kafka was asked")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kafka_access, "prepare_topics", fail)

    assert run(["ingest", "-", name]) == 3

    assert capsys.readouterr().err.startswith(f"Error: the file {name} cannot be read: ")
