"""Describes in words which users a release would move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.counted import counted
from segue.show.change_text import segment_text

if TYPE_CHECKING:
    from trainer.controls.drift import Drift
    from trainer.release.impact import Impact, Moves

_PAIRS = 12


def impact_text(impact: Impact, drift: Drift | None, *, with_pairs: bool = True) -> Group:
    """Describe impact and drift against the release in use.

    Args:
        impact: the users who move between the current release and the new release.
        drift: how far each feature's values have moved since the current release; None if not known.
        with_pairs: whether to list the pairs of segments. `train` leaves the list to `publish`.
    """
    lines: list[RenderableType] = [Text(f"Against release {impact.current}, which is current:", style="bold")]
    lines.append(
        _share("by the model", impact.by_model, "it takes features that this release was not trained with")
    )
    lines.append(
        _share("by behaviour", impact.by_behaviour, "its features or training users are not at hand")
    )
    if impact.by_time is not UNSET:
        elsewhere = "" if impact.by_behaviour is None else ": behaviour has these moves, too"
        why_not = f"its day, training users or facts are not at hand{elsewhere}"
        lines.append(_share("by time", impact.by_time, why_not))
    if with_pairs and any(moves is not None and moves.pairs for moves in _moved(impact).values()):
        lines.append(_pairs(impact))
    if drift is not None:
        drifted = [each for each in drift.features if each.drifted]
        lines += [
            Text(f"drifted: {each.name} (PSI {each.psi:.3f}, threshold {each.threshold:.3f})", style="yellow")
            for each in drifted
        ] or [Text("no feature drifted", style="dim")]
    return Group(*lines)


def _moved(impact: Impact) -> dict[str, Moves | None]:
    """Return the moves by what moved the users; time only where a feature reads the day."""
    moved = {"by the model": impact.by_model, "by behaviour": impact.by_behaviour}
    return moved if impact.by_time is UNSET else {**moved, "by time": impact.by_time}


def _share(by: str, moves: Moves | None, why_not: str) -> Text:
    if moves is None:
        return Text(f"moved {by}: not known, {why_not}", style="dim")
    return Text(f"moved {by}: {moves.moved:,} of {counted(moves.users, 'user')} ({moves.share:.1%})")


def _pairs(impact: Impact) -> Table:
    """Return a table of the pairs of segments with the most users. The last row counts the other pairs."""
    counts = {
        by: {(pair.previous, pair.segment): pair.users for pair in moves.pairs}
        for by, moves in _moved(impact).items()
        if moves is not None
    }
    pairs = sorted(
        {pair for each in counts.values() for pair in each},
        key=lambda pair: ([-each.get(pair, 0) for each in counts.values()], pair),
    )
    table = Table("from", "to", box=None, padding=(0, 2), header_style="dim")
    for by in counts:
        table.add_column(by, justify="right")
    for previous, segment in pairs[:_PAIRS]:
        table.add_row(
            segment_text(previous, impact.names.get(previous)),
            segment_text(segment, impact.names.get(segment)),
            *(f"{each.get((previous, segment), 0):,}" for each in counts.values()),
        )
    if len(pairs) > _PAIRS:
        table.add_row(f"and {len(pairs) - _PAIRS} pairs more")
    return table
