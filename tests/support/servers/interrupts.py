"""Interrupt a command by ctrl-C or SIGTERM, in a pipe or at a terminal, and check how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from segue.config.command_line import BadUsage
from tests.support.servers.segue_process import clean_environment
from tests.support.servers.terminals import Terminal

WORDS = {signal.SIGINT: "Interrupted.", signal.SIGTERM: "Terminated."}
LONGEST_S = 30.0
"""The demo needs so long: it ends a worker and deletes its topics."""
_LEFT_S = 3.0
_NEVER = ("Traceback", "bug in Segue", "Exception ignored", "Exception in thread", "Fatal Python error")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Attributes:
        after_s: the time from the command's first signal handler to the signal.
        took_s: the time from the signal to the end.
        told: the text on both outputs.
    """

    arguments: tuple[str, ...]
    number: signal.Signals
    after_s: float
    took_s: float
    code: int
    told: str

    def check(self) -> None:
        """Check that the command printed one word and exited with its code, or was ending by itself."""
        what = f"{self}\n{self.told}"
        assert not [words for words in _NEVER if words in self.told], what
        assert self.took_s < LONGEST_S, what
        worker = self.arguments[:1] == ("worker",)
        if worker and "worker.stops" in self.told:
            assert self.code == (130 if self.number == signal.SIGINT else 0), what
            assert "worker.stopped" in self.told, what
        elif worker and self.number == signal.SIGTERM and self.code == 0:
            pass  # the worker still waited for a server and had nothing to end
        elif self.arguments[:1] == ("up",) and self.code == 0:
            assert self.told.endswith(("Stopped.\n", "Stopped.\r\n")), what
        elif self.code == 128 + self.number:
            assert self.told.count(WORDS[self.number]) == 1, what
            assert self.told.endswith((f"{WORDS[self.number]}\n", f"{WORDS[self.number]}\r\n")), what
        else:
            assert self.code >= 0, what
            assert self.code != BadUsage.exit_code, what
            assert self.took_s < _LEFT_S, what  # the command was ending by itself


def interrupted(
    folder: Path,
    arguments: Sequence[str],
    after_s: float,
    number: signal.Signals = signal.SIGINT,
    environment: Mapping[str, str] | None = None,
    *,
    at_terminal: bool = False,
) -> Ended | None:
    """Run a command and send the signal ``after_s`` seconds after the command installs its handlers.

    Returns:
        How the command ended; None if it ended before the signal.
    """
    command = [sys.executable, "-m", "segue", *arguments]
    settings = {**clean_environment(), **(environment or {})}
    terminal: Terminal | None = None
    with ExitStack() as stack:
        if at_terminal:
            terminal = stack.enter_context(Terminal())
            end: int = terminal.end
            command = ["setsid", "--ctty", *command]
            settings = {**settings, "TERM": "xterm-256color"}
            del settings["NO_COLOR"], settings["COLUMNS"]
        else:
            file = stack.enter_context((folder / "told.txt").open("wb"))
            end = file.fileno()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=settings,
            stdin=end if at_terminal else subprocess.DEVNULL,
            stdout=end,
            stderr=end,
            # At a terminal setsid does this. It leads no group yet, so it keeps its process id.
            start_new_session=not at_terminal,
        )
        try:
            if not _wait(process, after_s):
                return None
            began = time.monotonic()
            if terminal is not None and number == signal.SIGINT:
                terminal.press_ctrl_c()
            else:
                process.send_signal(number)
            process.wait(2 * LONGEST_S)
            took_s = time.monotonic() - began
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    told = terminal.drawn() if terminal is not None else (folder / "told.txt").read_text(errors="replace")
    return Ended(tuple(arguments), number, after_s, took_s, process.returncode, told)


def _wait(process: subprocess.Popen[bytes], after_s: float) -> bool:
    """Wait for the moment of the signal; return False if the command ended before."""
    while not _listens(process.pid):
        if process.poll() is not None:
            return False
        time.sleep(0.002)
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        return True
    return False


def _listens(pid: int) -> bool:
    """Return whether the process has a handler for SIGTERM; without a handler Python still starts."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)
