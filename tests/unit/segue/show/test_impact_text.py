from __future__ import annotations

import io

from rich.console import Console

from segue.show.impact_text import impact_text
from trainer.controls.drift import Drift, FeatureDrift
from trainer.release.impact import Impact, Moves, Pair

NAMES = {0: "Women", 1: "Men [red]", 2: "Older"}


def shown(impact: Impact, drift: Drift | None = None, *, with_pairs: bool = True) -> list[str]:
    """The lines, with one space where several stand."""
    console = Console(file=io.StringIO(), width=200)
    console.print(impact_text(impact, drift, with_pairs=with_pairs))
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_both_kinds_of_moves_by_pair() -> None:
    impact = Impact(
        "abc",
        NAMES,
        Moves(1_000, (Pair(0, 1, 30), Pair(2, 0, 5))),
        Moves(900, (Pair(0, 1, 12), Pair(1, 2, 4))),
        (),
    )
    assert shown(impact) == [
        "Against release abc, which is current:",
        "moved by the model: 35 of 1,000 users (3.5%)",
        "moved by behaviour: 16 of 900 users (1.8%)",
        "from to by the model by behaviour",
        "0 Women 1 Men [red] 30 12",
        "2 Older 0 Women 5 0",
        "1 Men [red] 2 Older 0 4",
    ]
    assert shown(impact, with_pairs=False) == shown(impact)[:3]


def test_moves_by_time() -> None:
    impact = Impact(
        "abc",
        NAMES,
        Moves(10, ()),
        Moves(10, (Pair(0, 1, 2),)),
        (),
        Moves(10, (Pair(0, 1, 1), Pair(1, 2, 4))),
    )
    assert shown(impact)[2:] == [
        "moved by behaviour: 2 of 10 users (20.0%)",
        "moved by time: 5 of 10 users (50.0%)",
        "from to by the model by behaviour by time",
        "0 Women 1 Men [red] 0 2 1",
        "1 Men [red] 2 Older 0 0 4",
    ]


def test_many_pairs_are_cut_and_counted() -> None:
    pairs = tuple(Pair(0, segment, 100 - segment) for segment in range(1, 21))
    lines = shown(Impact("abc", {}, Moves(2_000, pairs), None, ()))
    assert lines[4:6] == ["0 1 99", "0 2 98"]
    assert lines[-1] == "and 8 pairs more"
    assert len(lines) == 4 + 12 + 1


def test_what_is_not_known_says_why() -> None:
    assert shown(Impact("abc", NAMES, None, None, (), None)) == [
        "Against release abc, which is current:",
        "moved by the model: not known, it takes features that this release was not trained with",
        "moved by behaviour: not known, its features or training users are not at hand",
        "moved by time: not known, its day, training users or facts are not at hand",
    ]
    nobody = Moves(10, ())
    assert shown(Impact("abc", NAMES, nobody, nobody, (), None))[-1] == (
        "moved by time: not known, its day, training users or facts are not at hand: behaviour has these"
        " moves, too"
    )


def test_nobody_moves_and_what_drifted() -> None:
    nobody = Impact("abc", NAMES, Moves(10, ()), Moves(10, ()), ())
    age, country = (FeatureDrift(name, 0.25, 0.01, 0.1, name == "age", ()) for name in ("age", "country"))
    assert shown(nobody, Drift("abc", (age, country)))[3:] == ["drifted: age (PSI 0.250, threshold 0.100)"]
    assert shown(nobody, Drift("abc", (country,)))[3:] == ["no feature drifted"]
