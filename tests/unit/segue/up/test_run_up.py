"""`segue up`: what it starts, says and ends, with servers that are not real."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from threading import Timer

import msgspec
import pytest

from segue.config.settings import Settings
from segue.services import ServiceTrouble
from segue.services.process.ports import free_ports
from segue.up import run_up as module
from segue.up.run_up import run_up
from segue.up.up_folder import MARKER, Ports, locked


class Server:
    """A server that runs until its third look."""

    def __init__(self, name: str, port: int, directory: Path) -> None:
        self.name = name
        self.bootstrap = f"127.0.0.1:{port}"
        self.url = f"redis://127.0.0.1:{port}/0"
        self.log = directory / "server.log"
        self.looks = 0

    @property
    def running(self) -> bool:
        self.looks += 1
        return self.looks < 3


class Run:
    """What a run did, in its order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.said: list[str] = []
        self.exported: list[str] = []
        self.topics_of: Settings | None = None
        self.fails: ServiceTrouble | None = None

    def start(self, name: str) -> Callable[..., Server]:
        def start(stack: ExitStack, _: object, *, allow_install: bool, port: int, directory: Path) -> Server:
            if self.fails is not None and name == "Kafka":
                raise self.fails
            self.done.append(f"{name} on {port}{'' if allow_install else ', nothing installed'}")
            (directory / "records").touch()
            stack.callback(self.done.append, f"{name} ends")
            return Server(name, port, directory)

        return start

    def topics(self, settings: Settings, _: object) -> int:
        self.topics_of = settings
        return 1

    def up(self, folder: Path, settings: Settings | None = None, *, fresh: bool = False) -> None:
        run_up(
            settings or Settings.model_validate({}),
            folder,
            self.said.append,
            self.exported.append,
            fresh=fresh,
            install=False,
        )


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    made = Run()
    monkeypatch.setattr(module, "start_kafka", made.start("Kafka"))
    monkeypatch.setattr(module, "start_redis", made.start("Redis"))
    monkeypatch.setattr(module, "prepare_topics", made.topics)
    monkeypatch.setattr(module, "choose_ports", lambda last: last or Ports(20_001, 20_002))
    monkeypatch.setattr(module, "_LOOK_EVERY_S", 0.0)
    return made


def test_a_server_that_ends_by_itself_ends_both_in_one_sentence(tmp_path: Path, run: Run) -> None:
    with pytest.raises(ServiceTrouble) as caught:
        run.up(tmp_path)
    log = tmp_path / "data" / "kafka" / "server.log"
    assert str(caught.value) == f"Kafka has ended by itself: see the end of {log}"
    assert run.done == [
        "Redis on 20002, nothing installed",
        "Kafka on 20001, nothing installed",
        "Kafka ends",
        "Redis ends",
    ]
    assert run.exported == [
        "export SEGUE_KAFKA=127.0.0.1:20001",
        "export SEGUE_REDIS=redis://127.0.0.1:20002/0",
    ]
    assert run.said == [
        f"Both run until ctrl-C. Their data stay in {tmp_path}.",
        "Next: run the two export lines in another terminal, and then: segue doctor",
    ]
    with locked(tmp_path) as ours:
        assert ours.ports == Ports(20_001, 20_002)


def test_its_topics_have_the_settings_names_and_no_login_of_other_servers(tmp_path: Path, run: Run) -> None:
    settings = Settings(
        kafka="broker:9092",
        kafka_options={"sasl.password": "secret"},
        replication_factor=3,
        topic_prefix="shop-",
        partitions=7,
        rekey=True,
    )
    with pytest.raises(ServiceTrouble):
        run.up(tmp_path, settings)
    used = run.topics_of
    assert used is not None
    assert used.kafka_client == {"bootstrap.servers": "127.0.0.1:20001"}
    assert used.topics == settings.topics
    assert (used.partitions, used.replication_factor) == (7, None)


@pytest.mark.parametrize("fresh", [False, True])
def test_only_fresh_removes_the_data(tmp_path: Path, run: Run, fresh: bool) -> None:
    with locked(tmp_path) as ours:
        (ours.server("redis") / "old").touch()
    with pytest.raises(ServiceTrouble):
        run.up(tmp_path, fresh=fresh)
    left = {path.name for path in (tmp_path / "data" / "redis").iterdir()}
    assert left == ({"records"} if fresh else {"records", "old"})


def test_after_a_kill_it_waits_for_the_ports_of_the_last_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = Ports(*free_ports(2))
    text = msgspec.json.encode({"pid": 4_711, "ports": last})
    (tmp_path / MARKER).write_bytes(text)
    server = socket.create_server(("127.0.0.1", last.redis))
    timer = Timer(0.3, server.close)
    timer.start()
    with locked(tmp_path) as ours:
        assert module._ports(ours) == last
    timer.join()

    (tmp_path / MARKER).write_bytes(text)
    monkeypatch.setattr(module, "_KILLED_SERVERS_END_S", 0.1)
    with socket.create_server(("127.0.0.1", last.redis)), locked(tmp_path) as ours:
        chosen = module._ports(ours)
    assert chosen.kafka == last.kafka
    assert chosen.redis != last.redis


def test_a_missing_program_is_named_with_docker_as_the_other_way(tmp_path: Path, run: Run) -> None:
    run.fails = ServiceTrouble("Java is not installed.", ("default-jre-headless",))
    with pytest.raises(ServiceTrouble) as caught:
        run.up(tmp_path)
    assert str(caught.value) == (
        "Java is not installed. Install default-jre-headless, or let Docker start both: docker compose up -d"
        " kafka redis"
    )
    assert run.done[-1] == "Redis ends"
    assert run.exported == []
