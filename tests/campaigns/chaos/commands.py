"""Run an operator's commands, and kill some of them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from random import Random

from tests.support.servers.deployment import Deployment

PATIENCE_S = 900.0
_KILLED_AFTER_S = (0.3, 4.0)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; ``code`` is None if the command was killed."""

    code: int | None
    told: str


def run_command(deployment: Deployment, *arguments: object, kill: Random | None = None) -> Ended:
    """Run `segue` to its end; with ``kill``, kill the command after a random time."""
    process = subprocess.Popen(
        [sys.executable, "-m", "segue", *map(str, arguments)],
        env=deployment.environment,
        cwd=deployment.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        told, _ = process.communicate(timeout=kill.uniform(*_KILLED_AFTER_S) if kill else PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        told, _ = process.communicate()
        assert kill, f"segue {arguments} did not end within {PATIENCE_S} s: {told[-3_000:]}"
        return Ended(None, told)
    assert "Traceback" not in told, told
    return Ended(process.returncode, told)
