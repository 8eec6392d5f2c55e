"""Runs `segue demo`, and draws the end of what it prints."""

from __future__ import annotations

import io
import re
from contextlib import chdir
from pathlib import Path

from rich.console import Console
from rich.text import Text

from segue.config.settings import Settings
from segue.demo.run_demo import demo

_WIDTH = 100
_CHANGES = 2
_RATE = 250


def take_demo(scratch: Path, file: Path) -> Path:
    """Draw the last changes and the summary of a demo, which starts its own servers; return the file.

    Args:
        scratch: a folder for the demo's files.
        file: where the picture goes, an SVG.
    """
    printed = _recording()
    with chdir(scratch):
        demo(Settings(), printed, rate=_RATE, keep=False, install=False)
    lines = Text.from_ansi(printed.export_text(styles=True)).split()
    changes = [
        number for number, line in enumerate(lines) if re.match(r"\d\d:\d\d:\d\d", line.plain.lstrip())
    ]
    end = next(number for number, line in enumerate(lines) if " s in all. In " in line.plain)
    shown = [Text("$ make demo"), Text("…"), *lines[changes[-_CHANGES] : end]]
    picture = _recording()
    picture.print(Text("\n").join(shown))
    picture.save_svg(str(file), title="segue demo", unique_id="segue-demo")
    return file


def _recording() -> Console:
    return Console(record=True, width=_WIDTH, file=io.StringIO(), color_system="truecolor")
