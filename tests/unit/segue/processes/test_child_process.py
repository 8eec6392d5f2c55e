"""One process, as its parent sees it. No Kafka listens at its address, so its worker waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.config.settings import Settings
from segue.processes import child_process
from segue.processes.child_process import ENDED, NOT_AT_WORK, SILENT, ChildProcess, PageQuestions
from tests.support.servers.services import eventually

NOBODY = Settings(kafka="127.0.0.1:1")


@pytest.fixture
def child() -> Iterator[ChildProcess]:
    started = ChildProcess(3, NOBODY, 4)
    yield started
    if started.code() is None:
        started.signal(signal.SIGKILL)
        started.wait()


def test_a_process_that_stands_still_is_told_from_one_that_starts(
    child: ChildProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "_ANSWER_S", 0.2)
    asked = PageQuestions([child])

    def answers(text: str) -> bool:
        return asked.ask("/readyz") == {3: text}

    eventually(lambda: answers(NOT_AT_WORK), "it waits for Kafka")
    child.signal(signal.SIGSTOP)
    assert os.WIFSTOPPED(os.waitpid(child.pid, os.WUNTRACED)[1])
    assert answers(SILENT)
    assert answers(SILENT)  # the first question is still open, and no second one lies behind it
    child.signal(signal.SIGCONT)
    eventually(lambda: answers(NOT_AT_WORK), "it answers what it is asked now")
    child.signal(signal.SIGTERM)
    assert child.wait() == 0
    assert answers(ENDED)


def test_a_process_ends_with_its_parent_even_if_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import time\n"
        "from segue.config.settings import Settings\n"
        "from segue.processes.child_process import NOT_AT_WORK, SILENT, ChildProcess, PageQuestions\n"
        "child = ChildProcess(1, Settings(kafka='127.0.0.1:1'), 4)\n"
        "questions = PageQuestions([child])\n"
        "while (answer := questions.ask('/readyz')[1]) == SILENT: pass\n"
        "assert answer == NOT_AT_WORK, answer\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(1e6)\n"
    )
    # A module of one of our names lies in the working directory: the child loads its parent's.
    (tmp_path / "streamer.py").write_text("raise AssertionError('not this')")
    with subprocess.Popen(
        [sys.executable, "-P", "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        child = Path(f"/proc/{int(parent.stdout.readline() or -1)}")
        lived = child.exists()
        parent.kill()
        parent.wait()
        assert lived
        eventually(lambda: not child.exists(), "it has ended")
