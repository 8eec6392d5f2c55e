"""When the parent of several processes ends, with which exit code, and what it leaves: nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from schemas.errors import BadSetting
from segue.config.settings import Settings
from segue.processes import run_processes as parent
from segue.processes.run_processes import run_processes
from tests.support.servers.services import HANG_S, eventually

TERM, INT, KILL = signal.SIGTERM, signal.SIGINT, signal.SIGKILL


class Child:
    """A process of which the test says with which code it ends: by itself, or at SIGTERM."""

    by_itself: dict[int, int] = {}  # noqa: RUF012 - a test replaces it
    at_sigterm: dict[int, int] = {}  # noqa: RUF012
    signals: list[tuple[int, signal.Signals]] = []  # noqa: RUF012

    def __init__(self, number: int, _settings: Settings, partitions: int) -> None:
        assert partitions == 4
        self.number, self.pid = number, 1_000 + number
        self._code = self.by_itself.get(number)

    def code(self) -> int | None:
        return self._code

    def signal(self, number: signal.Signals) -> None:
        self.signals.append((self.number, number))
        if self._code is None:
            self._code = self.at_sigterm.get(self.number, 0)

    def wait(self) -> int:
        assert self._code is not None
        return self._code


@pytest.fixture(autouse=True)
def _children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent, "prepare_worker", lambda _: 4)
    monkeypatch.setattr(parent, "ChildProcess", Child)
    for name in ("by_itself", "at_sigterm"):
        monkeypatch.setattr(Child, name, {})
    monkeypatch.setattr(Child, "signals", [])


@pytest.mark.parametrize(
    ("ends", "code", "said"),
    [
        (7, 7, {"event": "process.ended", "process": 2, "code": 7, "log_level": "error"}),
        (0, 0, {"event": "process.ended", "process": 2, "code": 0, "log_level": "info"}),
        (-KILL, 137, {"event": "process.killed", "process": 2, "log_level": "error"}),
    ],
)
def test_a_process_that_ends_ends_all_with_its_code(
    ends: int, code: int, said: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Child, "by_itself", {2: ends})
    monkeypatch.setattr(Child, "at_sigterm", {1: 70})  # what came of the first end is not the cause

    with capture_logs() as lines:
        assert run_processes(Settings(processes=3)) == code

    assert {number for number, sent in Child.signals if sent == TERM} >= {1, 3}
    last = lines[-1]
    assert said.items() <= last.items()
    if ends == -KILL:
        assert "memory ran out" in str(last["reason"])


@pytest.mark.parametrize(
    ("number", "codes", "code"), [(TERM, {}, 0), (INT, {1: -TERM, 2: 143}, 130), (TERM, {2: 70}, 70)]
)
def test_a_signal_ends_all_and_a_failure_meanwhile_is_not_hidden(
    number: signal.Signals, codes: dict[int, int], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Child, "at_sigterm", codes)
    before = [signal.getsignal(each) for each in (TERM, INT)]

    def send() -> None:
        eventually(lambda: signal.getsignal(number) not in before, "the parent handles signals")
        os.kill(os.getpid(), number)

    sending = threading.Thread(target=send)
    sending.start()
    assert run_processes(Settings(processes=2)) == code
    sending.join()
    assert Child.signals == [(1, TERM), (2, TERM)]
    assert [signal.getsignal(each) for each in (TERM, INT)] == before


def test_more_processes_than_partitions_are_refused() -> None:
    with pytest.raises(BadSetting, match=r"setting processes is 5: give at most 4: .* have 4 partitions"):
        run_processes(Settings(processes=5))


def test_a_second_signal_ends_all_at_once_even_a_process_that_hangs(tmp_path: Path) -> None:
    program = (
        "from segue.config.settings import Settings\n"
        "from segue.interruption import run_guarded\n"
        "from segue.processes import run_processes as parent\n"
        "from streamer.status.worker_logs import set_up_logs\n"
        "parent.prepare_worker = lambda _: 4\n"
        "set_up_logs(json=True)\n"
        "settings = Settings(kafka='127.0.0.1:1', processes=2, log_format='json')\n"
        "run_guarded(lambda: parent.run_processes(settings))\n"
    )
    log = tmp_path / "log"

    def said(event: str) -> list[dict[str, int]]:
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        return [line for line in lines if line["event"] == event]

    with log.open("w") as output, subprocess.Popen([sys.executable, "-c", program], stderr=output) as running:
        try:
            eventually(lambda: len(said("process.started")) == 2, "both are started")
            pids = [line["pid"] for line in said("process.started")]
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            running.send_signal(TERM)
            eventually(lambda: said("worker.stops"), "the first signal is noted")
            assert running.poll() is None
            running.send_signal(TERM)
            assert running.wait(HANG_S) == -TERM
        finally:
            running.kill()
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "none is left")
