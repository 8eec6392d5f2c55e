"""Ctrl-C in `make bench` is one word, and ends the servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.rounds.run_program import ROOT
from segue.services import ServiceTrouble
from segue.services.programs.redis_program import find_redis
from tests.support.servers.services import eventually, not_here


@pytest.mark.wide
def test_ctrl_c_in_a_bench_is_one_word_and_its_servers_end() -> None:
    try:
        find_redis()
    except ServiceTrouble as trouble:
        not_here(str(trouble), trouble.install)
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.parts"],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as bench:
        assert bench.stdout is not None
        lines = [bench.stdout.readline() for _ in range(6)]  # up to the end of a part
        started = Path(f"/proc/{bench.pid}/task/{bench.pid}/children").read_text(encoding="ascii").split()
        os.killpg(bench.pid, signal.SIGINT)
        told = "".join(lines) + bench.stdout.read()
    assert bench.returncode == 130, told
    assert told.endswith("Interrupted.\n"), told
    assert "Traceback" not in told
    assert started
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))
