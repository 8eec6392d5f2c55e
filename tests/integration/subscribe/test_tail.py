"""`segue tail` over changes that a lane wrote: filters, and a group that goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Producer

from schemas.outputs.wire import encode_release
from schemas.topics import MODELS_CURRENT_KEY
from segue.cli.main import run
from segue.config.settings import Settings
from segue.services import KafkaService
from tests.support.servers.services import HANG_S
from tests.support.workers.change_writer import ChangeWriter
from tests.support.worlds.made_up_release import a_release

Tail = Callable[..., list[str]]


@pytest.fixture
def writer(kafka: KafkaService, topic_prefix: str) -> ChangeWriter:
    writer = ChangeWriter(kafka.bootstrap, topic_prefix, partitions=1)
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    producer.produce(writer.topics.models, encode_release(a_release()), MODELS_CURRENT_KEY)
    assert producer.flush(HANG_S) == 0
    writer.write(
        writer.goes("7", 2, provisional=True),
        writer.goes("8", 1),
        writer.goes("7", 2),
        writer.goes("7", 3),
        writer.goes("8", 0),
        writer.erased("7"),
    )
    return writer


@pytest.fixture
def tail(
    writer: ChangeWriter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Tail:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"SEGUE_{name.upper()}", raising=False)
    monkeypatch.delenv("SEGUE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    where = ("--kafka", writer.bootstrap, "--topic-prefix", writer.topics.prefix)

    def tail(*arguments: str) -> list[str]:
        """Return each shown change as "user sequence kind"."""
        assert run(["tail", *where, "--json", *arguments]) == 0
        shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [f"{change['user_id']} {change['sequence']} {change['kind']}" for change in shown]

    return tail


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        (["--kind", "confirmed", "--max", "1"], ["7 2 confirmed"]),
        (["--kind", "erased", "--max", "1"], ["7 4 erased"]),
        (
            ["--segment", "2", "--max", "3"],
            ["7 1 moved", "7 2 confirmed", "7 3 moved"],
        ),
        (["--segment", "segment 3", "--max", "2"], ["7 3 moved", "7 4 erased"]),
        (["--segment", "1", "--kind", "moved", "--user", "8", "--max", "2"], ["8 1 moved", "8 2 moved"]),
    ],
    ids=" ".join,
)
def test_what_is_shown(tail: Tail, filters: list[str], shown: list[str]) -> None:
    assert tail("--from-beginning", *filters) == shown


def test_a_group_goes_on_after_what_was_shown(tail: Tail, writer: ChangeWriter) -> None:
    group = ("--group", f"{writer.topics.prefix}people", "--from-beginning")
    assert tail(*group, "--max", "2") == ["7 1 moved", "8 1 moved"]
    assert tail(*group, "--max", "4") == ["7 2 confirmed", "7 3 moved", "8 2 moved", "7 4 erased"]


def test_an_unknown_segment_is_answered_with_the_names(
    tail: Tail, writer: ChangeWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--kafka", writer.bootstrap, "--topic-prefix", writer.topics.prefix)
    assert run(["tail", *where, "--segment", "9" * 5_000]) == 2  # more digits than Python reads
    assert "has no segment of this name" in capsys.readouterr().err
    assert run(["tail", *where, "--segment", "loyal"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("Error: option --segment is 'loyal': release ")
    assert "has no segment of this name; it has 0 segment 0, 1 segment 1" in told


def test_a_number_that_no_segment_has_is_noted(
    tail: Tail, writer: ChangeWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    writer.write(writer.goes("9", 99))  # by an earlier release
    where = (
        "--kafka",
        writer.bootstrap,
        "--topic-prefix",
        writer.topics.prefix,
        "--json",
        "--from-beginning",
    )
    assert run(["tail", *where, "--segment", "99", "--max", "1"]) == 0
    said = capsys.readouterr()
    assert "Segment 99 is not in the current release, which has 0 segment 0, 1 segment 1" in said.err
    assert json.loads(said.out)["segment"] == 99
    assert run(["tail", *where, "--segment", "1", "--max", "1"]) == 0
    assert "not in the current release" not in capsys.readouterr().err
