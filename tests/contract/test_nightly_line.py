"""The runbook's nightly line, run over a `segue` that notes what it is asked."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
(LINE,) = re.findall(r"^## Every night\n\n```\n(.+)\n```$", PAGE, re.MULTILINE)

STUB = """#!/bin/sh
echo "$@" >> asked.txt
[ "$1" != train ] || { echo "reading…" >&2; [ "$FAILS" = train ] && exit 3; echo releases/abc; }
[ "$1" != publish ] || [ "$FAILS" != publish ] || exit 11
"""


@pytest.mark.parametrize(
    ("fails", "code", "asked"),
    [
        ("", 0, ["train --warehouse a shop", "publish releases/abc --to s3://models/segue"]),
        ("train", 3, ["train --warehouse a shop"]),
        ("publish", 11, ["train --warehouse a shop", "publish releases/abc --to s3://models/segue"]),
    ],
    ids=["all well", "training fails", "publish refuses"],
)
def test_it_ends_with_the_code_of_what_failed(
    tmp_path: Path, fails: str, code: int, asked: list[str]
) -> None:
    stub = tmp_path / "segue"
    stub.write_text(STUB)
    stub.chmod(0o755)

    done = subprocess.run(
        ["sh", "-c", LINE.replace("/srv/segue", str(tmp_path))],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "WAREHOUSE": "a shop", "FAILS": fails},
        check=False,
        capture_output=True,
    )

    assert done.returncode == code
    assert (tmp_path / "asked.txt").read_text().splitlines() == asked
