"""`segue demo`: it tells what happened, and leaves nothing behind, however it ends."""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from confluent_kafka.admin import AdminClient
from rich.console import Console

from segue.config.settings import Settings
from segue.demo import run_demo as demo_run
from segue.services import KafkaService, NoServices, RedisService
from tests.support.servers.segue_process import SegueProcess
from tests.support.servers.services import HANG_S, eventually


def named(kafka: KafkaService, redis_server: RedisService) -> dict[str, str]:
    return {"SEGUE_KAFKA": kafka.bootstrap, "SEGUE_REDIS": redis_server.url}


def prefix_in(told: str) -> str:
    """The names of the run, which it says."""
    return told.partition("of this run begin with ")[2].partition(". and go")[0]


def assert_nothing_left(told: str, kafka: KafkaService, redis_server: RedisService, directory: Path) -> None:
    prefix = prefix_in(told)
    assert prefix.startswith("segue-demo-")
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    assert not [name for name in admin.list_topics(timeout=HANG_S).topics if name.startswith(prefix)]
    groups = admin.list_consumer_groups().result(HANG_S)
    assert prefix not in [group.group_id for group in groups.valid]
    with redis.Redis.from_url(redis_server.url) as client:
        assert not list(client.scan_iter(match=f"{prefix}*", count=10_000))
    assert processes_in(directory / "segue-demo") == []


def processes_in(directory: Path) -> list[int]:
    """Processes that run in this directory, as the demo's worker does."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == directory:
                found.append(int(process.name))
        except OSError:  # it ended meanwhile
            continue
    return found


@pytest.mark.long
def test_the_whole_demo_on_servers_that_the_settings_name(
    kafka: KafkaService, redis_server: RedisService, tmp_path: Path
) -> None:
    environment = named(kafka, redis_server)
    with SegueProcess(tmp_path, "demo", "--rate", "3000", environment=environment) as demo:
        code = demo.ends()
        told = demo.out + demo.err

    assert code == 0, told
    assert "Kafka: named by the settings" in told
    assert "Three of them are bad on purpose: a signup of a user aged 212, an order without items" in told
    assert "3,098 in " in told
    assert "758 new users placed" in told
    assert "age: 212 is outside 0..150" in told
    assert "latency       median " in told
    assert "One user, explained" in told
    assert "total_orders" in told
    assert "like " in told
    assert list((tmp_path / "segue-demo" / "releases").glob("*/report.html"))
    assert_nothing_left(told, kafka, redis_server, tmp_path)


@pytest.mark.wide
def test_with_the_preset_rfm_users_move_because_time_passed(
    kafka: KafkaService, redis_server: RedisService, tmp_path: Path
) -> None:
    arguments = ("demo", "--preset", "rfm", "--rate", "3000")
    with SegueProcess(tmp_path, *arguments, environment=named(kafka, redis_server)) as demo:
        code = demo.ends()
        told = demo.out + demo.err

    assert code == 0, told
    assert 'bad on purpose: an order at the time "soon", an order without items' in told
    assert " users moved because time passed\n" in told
    assert "why         by the day " in told
    assert_nothing_left(told, kafka, redis_server, tmp_path)


@pytest.mark.wide
def test_an_interrupted_demo_leaves_nothing(
    kafka: KafkaService, redis_server: RedisService, tmp_path: Path
) -> None:
    environment = named(kafka, redis_server)
    with SegueProcess(tmp_path, "demo", "--rate", "20", environment=environment) as demo:
        demo.says(" by a")  # a change: the worker works, and events are under way
        assert processes_in(tmp_path / "segue-demo") != []
        demo.terminate(signal.SIGINT)
        assert demo.ends() == 130
        told = demo.out + demo.err

    assert "Traceback" not in told
    assert_nothing_left(told, kafka, redis_server, tmp_path)


@pytest.mark.wide
def test_a_killed_demo_leaves_no_worker(
    kafka: KafkaService, redis_server: RedisService, tmp_path: Path
) -> None:
    environment = named(kafka, redis_server)
    with SegueProcess(tmp_path, "demo", "--rate", "20", environment=environment) as demo:
        demo.says(" by a")
        demo.terminate(signal.SIGKILL)
        demo.ends()
        eventually(lambda: processes_in(tmp_path / "segue-demo") == [], "the worker ends")


@pytest.mark.long
def test_without_servers_it_plays_in_memory_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @contextmanager
    def nothing(**_: object) -> Iterator[NoServices]:
        yield NoServices("There is no Java here.", ("default-jre-headless", "maven"))

    monkeypatch.setattr(demo_run, "find_services", nothing)
    monkeypatch.chdir(tmp_path)
    shown = io.StringIO()

    demo_run.demo(
        Settings.model_validate({}), Console(file=shown, width=160), rate=1e6, keep=True, install=False
    )

    told = shown.getvalue()
    assert "There is no Java here." in told
    assert "in memory: this shows the logic, not the service." in told
    assert "For the service, install: default-jre-headless maven" in told
    assert "this says nothing of the service" in told
    assert "758 new users placed" in told
    assert "One user, explained" in told
