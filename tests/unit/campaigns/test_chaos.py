"""What a chaos campaign draws."""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from tests.campaigns.chaos import __main__ as command
from tests.campaigns.chaos import faults
from tests.campaigns.chaos.campaign import Campaign, keep_files
from tests.campaigns.chaos.disks import Disk
from tests.campaigns.chaos.gremlin import plan
from tests.campaigns.chaos.past import past_facts, write_warehouse
from tests.support.servers.aof import cut_inside_save
from tests.support.servers.deployment import WorkerEnded
from trainer.warehouse import open_warehouse

WEIGHTS = {"often": 8, "seldom": 1, "hardly": 1}


@pytest.mark.parametrize("seed", range(50))
def test_each_kind_of_fault_comes_once_before_any_comes_again(seed: int) -> None:
    drawn = plan(WEIGHTS, 40, Random(seed))
    assert sorted(drawn[:3]) == sorted(WEIGHTS)
    assert len(drawn) == 40
    assert drawn[3:].count("often") > drawn[3:].count("seldom")
    assert plan(WEIGHTS, 2, Random(seed)) == drawn[:2]


def test_the_seed_decides_the_order() -> None:
    assert len({tuple(plan(WEIGHTS, 3, Random(seed))) for seed in range(50)}) == 6


def test_twelve_seeds_in_a_row_are_all_classes() -> None:
    campaigns = [Campaign(seed, 1, 1) for seed in range(12)]
    classes = {(one.rekey, bool(one.exclude), bool(one.min_margin)) for one in campaigns}
    assert len(classes) == 8
    assert not [one for one in campaigns if one.bootstraps and one.remakes]
    assert Campaign(1, 1, 1).settings == {
        "SEGUE_REKEY": "true",
        "SEGUE_EXCLUDE_STATUSES": "Cancelled,Returned",
        "SEGUE_MIN_MARGIN": "0.05",
    }
    assert Campaign(0, 1, 1).settings == {}


def test_redis_files_are_kept_where_the_campaign_does_not_delete_them(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.aof").write_bytes(b"x")
    told: list[str] = []
    store: Any = SimpleNamespace(directory=tmp_path, kill=lambda: told.append("killed"))
    keep_files(store, told.append)
    _, said = told
    kept = Path(said.rpartition(" ")[2])
    assert (kept / "data" / "a.aof").read_bytes() == b"x"
    shutil.rmtree(kept)


def test_a_save_is_cut_inside_one_of_its_commands(tmp_path: Path) -> None:
    lines = [b"*1", b"$5", b"MULTI", b"*2", b"$4", b"INCR", b"$1", b"a", b"*1", b"$4", b"EXEC", b""]
    file = tmp_path / "appendonlydir" / "a.1.incr.aof"
    file.parent.mkdir()
    for seed in range(50):
        whole = b"\r\n".join(lines)
        file.write_bytes(b"*1\r\n$4\r\nPING\r\n" + whole)
        lost = cut_inside_save(tmp_path, Random(seed))
        left = file.read_bytes().partition(b"MULTI\r\n")[2]
        assert 0 < lost < len(whole)
        assert left not in (b"", b"*2\r\n$4\r\nINCR\r\n$1\r\na\r\n"), "it ends inside a command"


def test_a_cut_takes_what_was_written_last_and_says_how_much(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written in the first second, 10 bytes in the second one, and 3 more until Redis is dead."""
    file = tmp_path / "appendonlydir" / "a.1.incr.aof"
    file.parent.mkdir()
    file.write_bytes(b"x" * 100)
    grows = iter([0, 10])

    def write(count: int) -> None:
        file.write_bytes(file.read_bytes() + b"y" * count)

    store: Any = SimpleNamespace(data=tmp_path, kill=lambda: write(3), start=lambda: None)
    broker: Any = SimpleNamespace()
    servers = faults.Servers(broker, store, Disk(tmp_path), Random(1))
    monkeypatch.setattr(time, "sleep", lambda _: write(next(grows, 0)))
    servers.kinds["kill -9 of Redis, its AOF's tail cut"][0]()
    (lost,) = servers.cut_bytes
    assert 1 <= lost <= 13
    assert file.stat().st_size == 113 - lost


def test_a_warehouse_gives_the_facts_that_were_written_into_it(tmp_path: Path) -> None:
    facts = past_facts(Random(1), 200)
    with open_warehouse(write_warehouse(facts, tmp_path)) as warehouse:
        read = [*warehouse.events(datetime(2024, 6, 1, tzinfo=UTC))]
    assert sorted(read, key=repr) == sorted(facts, key=repr)
    assert len({fact.user_id for fact in facts}) > 150


@pytest.mark.parametrize("error", [AssertionError("wrong"), WorkerEnded("it ended"), RuntimeError("else")])
def test_whatever_ends_a_campaign_the_command_that_runs_it_again_is_told(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(command, "run", fails)
    monkeypatch.setattr("sys.argv", ["chaos", "--seed", "3", "--faults", "5", "--workers", "2"])
    if isinstance(error, RuntimeError):
        with pytest.raises(RuntimeError):
            command.main()
    else:
        assert command.main() == 1
    again = 'again: make chaos ARGS="--seed 3 --events 1000000 --faults 5 --workers 2"'
    assert again in capsys.readouterr().out
