"""Play the real demo on a pseudo-terminal to its end."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable

from tests.support.servers.segue_process import clean_environment
from tests.support.servers.terminals import Terminal

_COLUMNS = (80, 200)
_DEADLINE_S = 600
_EVENTS = 3_098
_FEWEST_PICTURES = 20
_WORDS = ("758 new users placed", "One user, explained", "s in all. In segue-demo")


def play_demos(times: int, say: Callable[[str], None]) -> None:
    """Play the demo so many times, on a narrow and on a wide terminal in turn.

    Raises:
        AssertionError: the demo failed, or drew too few pictures.
    """
    for time in range(times):
        columns = _COLUMNS[time % len(_COLUMNS)]
        with tempfile.TemporaryDirectory(prefix="segue-demo-") as folder, Terminal(columns, 24) as terminal:
            settings = {**clean_environment(), "TERM": "xterm-256color"}
            del settings["NO_COLOR"], settings["COLUMNS"]
            done = subprocess.run(
                ["setsid", "--ctty", "--wait", sys.executable, "-m", "segue", "demo"],
                cwd=folder,
                env=settings,
                stdin=terminal.end,
                stdout=terminal.end,
                stderr=terminal.end,
                timeout=_DEADLINE_S,
                check=False,
            )
        told = terminal.drawn()
        assert done.returncode == 0, told[-3_000:]
        assert "Traceback" not in told, told[-3_000:]
        assert all(words in told for words in _WORDS), told[-3_000:]
        seen = {
            int(number.replace(",", "")) for number in re.findall(rf"([\d,]+) of {_EVENTS:,} events", told)
        }
        assert len(seen) >= _FEWEST_PICTURES, f"it drew {len(seen)} pictures only: {sorted(seen)}"
        say(f"demo {time + 1} at {columns} columns: {len(seen)} pictures, the last of {max(seen):,} events")
