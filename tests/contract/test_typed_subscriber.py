"""A type checker sees the changes' types in somebody's program, as the examples use them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "personalize" / "service.py"

pytestmark = pytest.mark.long  # the first run checks the packages, too

PROGRAM = """
import asyncio

from segue.subscribe import SegmentChange, UserErasedChange, changes, changes_async

for change in changes("127.0.0.1:9092", group="shop", segment="loyal", only="entering"):
    reveal_type(change)
    if isinstance(change, SegmentChange):
        reveal_type(change.segment)
        change.segmnt
    else:
        change.segment

changes("127.0.0.1:9092", only="moving")
changes("127.0.0.1:9092", gruop="shop")


async def main() -> None:
    async for change in changes_async("127.0.0.1:9092", start="states"):
        reveal_type(change.sequence)
"""


def test_the_example_is_as_short_as_the_page_says() -> None:
    lines = [line for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) <= 30
    page = (ROOT / "docs" / "subscribing.md").read_text(encoding="utf-8")
    assert "keeps everybody's segment in 30 lines" in page


def mypy(file: Path) -> str:
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-error-summary",
        "--hide-error-context",
        str(file),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT).stdout


def test_the_example_is_typed() -> None:
    assert mypy(EXAMPLE) == ""


def test_a_program_sees_types_and_its_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    told = [line.partition(": ")[2] for line in mypy(file).splitlines()]
    change = "schemas.outputs.segment_change.SegmentChange | schemas.outputs.segment_change.UserErasedChange"
    wanted = [
        f'note: Revealed type is "{change}"',
        'note: Revealed type is "int"',
        'error: "SegmentChange" has no attribute "segmnt"',
        'error: "UserErasedChange" has no attribute "segment"',
        'error: Argument "only" to "changes" has incompatible type',
        'error: Unexpected keyword argument "gruop" for "changes"',
        'note: Revealed type is "int"',
    ]
    found = [line for line in told if "Revealed" in line or "error:" in line]
    assert [any(part in line for line in found) for part in wanted] == [True] * len(wanted), found
