"""The demo's picture fits the terminal, and a segment has one colour."""

from __future__ import annotations

import io
import re
from collections import Counter

import pytest
from rich.console import Console, ConsoleDimensions

from schemas.outputs.segment_change import SimilarUser
from segue.demo.demo_picture import Moment, picture, segments_table
from segue.demo.tally import BY_TIME, KINDS
from segue.show.change_text import segment_colour
from tests.support.inputs.made_change import a_change

NAMES = {0: "Older, fewer orders", 1: "Men, more orders", 3: "Women, often Intimates"}
ALIKE = tuple(SimilarUser(str(number), 0.5, 3) for number in range(10_000, 10_005))
MOMENT = Moment(
    seconds=12.3,
    total=3_098,
    sent=1_549,
    kinds=Counter(dict.fromkeys((BY_TIME, *KINDS), 1000)),
    names=NAMES,
    users=Counter({0: 4_788, 1: 2_394, 3: 4_283}),
    users_before=Counter({0: 4_700, 1: 3_400, 3: 4_283}),
    latest=tuple(a_change(missing=("age",), provisional=True, similar_users=ALIKE) for _ in range(5)),
    dead_letters=("age: 212 is outside 0..150", "the value is not valid JSON: invalid character (byte 0)"),
)


def drawn(columns: int, rows: int, **options: str) -> str:
    console = Console(
        file=io.StringIO(), width=columns, height=rows, force_terminal=True, soft_wrap=True, _environ=options
    )
    console.print(picture(MOMENT, ConsoleDimensions(columns, rows)), soft_wrap=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(("columns", "rows"), [(40, 24), (40, 12), (60, 24), (80, 24), (200, 50)])
def test_it_fits_the_terminal(columns: int, rows: int) -> None:
    lines = drawn(columns, rows, NO_COLOR="1", TERM="dumb").splitlines()

    assert len(lines) <= max(rows, 14)  # of the changes one is shown in the smallest
    assert max(map(len, lines)) <= columns
    told = "\n".join(lines)
    assert "1,549 of 3,098 events" in told
    assert "1,000 moved because time passed" in told
    assert all(users in told for users in ("4,788 users", "+88", "2,394 users", "-1,006", "+0"))


def test_at_80_columns_nothing_but_changes_is_cut() -> None:
    lines = [line for line in drawn(80, 24, NO_COLOR="1").splitlines() if "│" not in line]

    assert "…" not in "".join(lines)


def test_at_80_columns_every_name_that_training_makes_is_whole() -> None:
    names = {10: "W" * 24, 11: "M" * 24}
    table = segments_table(names, Counter({10: 12_345, 11: 99_999}), Counter({10: 99_999}), 80)
    console = Console(file=io.StringIO(), width=80)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert all(f"{id_} {name}" in told for id_, name in names.items())


def test_a_bar_has_the_colour_of_its_segment() -> None:
    lines = drawn(80, 24, TERM="xterm").splitlines()
    codes = {"cyan": 36, "magenta": 35, "green": 32}
    for segment, name in NAMES.items():
        (line,) = [line for line in lines if f"{segment} {name}" in line]
        assert set(re.findall(r"\x1b\[(3\d)m[^\x1b]*\w", line)) == {str(codes[segment_colour(segment)])}
        assert re.findall(r"\x1b\[(3\d)m━", line) == [str(codes[segment_colour(segment)])]
