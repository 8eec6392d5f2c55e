"""Shows a rehearsal: one page for people, 80 columns wide, and the same numbers for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas import times
from schemas.counted import counted
from segue.rehearsal.count_moves import MoveCounts, SegmentCounts
from segue.rehearsal.rehearse_log import Rehearsal, Run
from segue.rehearsal.suggest_margin import MarginTrial
from segue.rehearsal.webhooks_page import webhooks_json, webhooks_table
from segue.show.change_text import segment_colour

_MOST_SEGMENTS = 20
_WIDTH = 80
_IN_AND_OUT = ("now in", "out", "new in", "out", "switch in", "out")


def rehearsal_page(rehearsal: Rehearsal) -> Group:
    """Return the page for people."""
    begin, end = (f"{at:%Y-%m-%d %H:%M}" for at in (rehearsal.since, rehearsal.until))
    parts: list[RenderableType] = [
        Text(f"Rehearsal, {begin} to {end} UTC", style="bold"),
        Text(
            f"{counted(rehearsal.events, 'event')} of {counted(rehearsal.users, 'user')};"
            f" min_margin {rehearsal.min_margin:g}; each release decided the whole time"
        ),
        Text(),
        _summary(rehearsal),
        Text(),
        _segments(rehearsal),
        Text(),
        _switch(rehearsal),
        Text(),
        *_webhooks(rehearsal),
        _margins(rehearsal),
        _advice(rehearsal.suggested, rehearsal.trials[0]),
    ]
    return Group(*parts)


def _summary(rehearsal: Rehearsal) -> Table:
    current, new = rehearsal.current, rehearsal.new
    table = _table("", f"now: {current.version}", f"new: {new.version}")
    rows: tuple[tuple[str, Callable[[MoveCounts], str]], ...] = (
        ("users who move", lambda counts: f"{counts.moving_users:,}"),
        ("  by a signup", lambda counts: f"{counts.movers['signup']:,}"),
        ("  by an order", lambda counts: f"{counts.movers['order']:,}"),
        ("moves", lambda counts: f"{counts.moves.total():,}"),
        ("users who flap", lambda counts: _with_share(counts.flapping_users, rehearsal.users)),
        ("flaps", lambda counts: f"{counts.flaps:,}"),
        ("first segments", lambda counts: f"{counts.new_users:,}"),
        ("erased users", lambda counts: f"{counts.erased_users:,}"),
    )
    if any(counts.movers["time"] for counts in (current.counts, new.counts)):
        by_day = ("  by a new day", lambda counts: f"{counts.movers['time']:,}")
        rows = (*rows[:3], by_day, *rows[3:])
    for name, number in rows:
        table.add_row(name, number(current.counts), number(new.counts))
    return table


def _segments(rehearsal: Rehearsal) -> Table:
    switch = rehearsal.switch
    numbers = sorted({*rehearsal.names, *rehearsal.current.counts.segments, *rehearsal.new.counts.segments})
    rows = [
        (
            *_in_and_out(rehearsal.current.counts, number),
            *_in_and_out(rehearsal.new.counts, number),
            f"{switch.entered[number]:,}",
            f"{switch.left[number]:,}",
        )
        for number in numbers[:_MOST_SEGMENTS]
    ]
    table = Table(box=None, padding=(0, 0, 0, 1), header_style="dim", pad_edge=False)
    others = sum(1 + max(map(len, column)) for column in zip(_IN_AND_OUT, *rows, strict=True))
    table.add_column("segment", max_width=_WIDTH - others, no_wrap=True, overflow="ellipsis")
    for name in _IN_AND_OUT:
        table.add_column(name, justify="right", no_wrap=True)
    for number, row in zip(numbers, rows, strict=False):
        name = f"{number} {rehearsal.names.get(number, '')}".strip()
        table.add_row(Text(name, style=segment_colour(number)), *row)
    if len(numbers) > _MOST_SEGMENTS:
        table.add_row(f"{len(numbers) - _MOST_SEGMENTS} more: --json")
    return table


def _in_and_out(counts: MoveCounts, segment: int) -> tuple[str, str]:
    found = counts.segments.get(segment, SegmentCounts())
    return f"{found.entered:,}", f"{found.left:,}"


def _switch(rehearsal: Rehearsal) -> Text:
    switch = rehearsal.switch
    return Text(
        f"The switch moves {len(switch.moved):,} of {counted(switch.users, 'user')} ({switch.share:.1%}),"
        " by cause model."
    )


def _webhooks(rehearsal: Rehearsal) -> list[RenderableType]:
    if not rehearsal.new.webhooks:
        return []
    runs = {"now": rehearsal.current.webhooks, "new": rehearsal.new.webhooks}
    sent = {name: counts.sent for name, counts in rehearsal.switch.webhooks.items() if counts.sent}
    by_trigger = ", ".join(f"{name} {count:,}" for name, count in sent.items())
    return [
        webhooks_table(runs, rehearsal.since, rehearsal.until),
        Text(f"The switch sends {counted(sum(sent.values()), 'webhook')}{by_trigger and f': {by_trigger}'}."),
        Text(),
    ]


def _margins(rehearsal: Rehearsal) -> Table:
    table = _table("new, with min_margin", *(f"{trial.min_margin:g}" for trial in rehearsal.trials))
    table.add_row("users who move", *(f"{trial.moving_users:,}" for trial in rehearsal.trials))
    table.add_row("users who flap", *(f"{trial.flapping_users:,}" for trial in rehearsal.trials))
    return table


def _advice(best: MarginTrial, without: MarginTrial) -> Text:
    if best.min_margin == without.min_margin:
        return Text(f"Suggested min_margin: {best.min_margin:g}; a larger margin helps too little.")
    return Text(
        f"Suggested min_margin: {best.min_margin:g} ({counted(best.flaps, 'flap')} instead of"
        f" {without.flaps:,}; {_share(best.moving_users, without.moving_users)} of users still move)."
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim", pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    return table


def _with_share(part: int, whole: int) -> str:
    return f"{part:,} ({_share(part, whole)})"


def _share(part: int, whole: int) -> str:
    return f"{part / whole if whole else 0.0:.1%}"


def rehearsal_notes(rehearsal: Rehearsal) -> list[str]:
    """Return sentences about what limits the comparison; none if nothing does."""
    notes = []
    if not rehearsal.events:
        notes.append("the log has no event in this time, so only the switch is known")
    others = sorted(rehearsal.live_versions - {rehearsal.current.version})
    if others:
        notes.append(f"in this time other releases decided live, too: {', '.join(others)}")
    if rehearsal.undecided_before:
        notes.append(
            f"for {counted(rehearsal.undecided_before, 'user')} the log does not have the segment before"
            " this time: both releases begin with their own"
        )
    return notes


def rehearsal_json(rehearsal: Rehearsal) -> dict[str, Any]:
    """Return the rehearsal for programs; docs/commands.md names the fields."""
    switch = rehearsal.switch
    return {
        "since": times.text(rehearsal.since),
        "until": times.text(rehearsal.until),
        "min_margin": rehearsal.min_margin,
        "events": rehearsal.events,
        "users": rehearsal.users,
        "current": _run(rehearsal.current),
        "new": _run(rehearsal.new),
        "live": {
            "versions": sorted(rehearsal.live_versions),
            **_counts(rehearsal.live),
            "webhooks": webhooks_json(rehearsal.live_webhooks),
        },
        "switch": {
            "users": switch.users,
            "moving_users": len(switch.moved),
            "share": switch.share,
            "entered": dict(switch.entered),
            "left": dict(switch.left),
            "moved": sorted(switch.moved, key=lambda each: each.user_id),
            "webhooks": webhooks_json(switch.webhooks),
        },
        "margins": rehearsal.trials,
        "suggested_min_margin": rehearsal.suggested.min_margin,
        "undecided_before": rehearsal.undecided_before,
        "refused": list(rehearsal.refusals),
    }


def _run(run: Run) -> dict[str, Any]:
    return {"version": run.version, **_counts(run.counts), "webhooks": webhooks_json(run.webhooks)}


def _counts(counts: MoveCounts) -> dict[str, Any]:
    return {
        "moves": dict(counts.moves),
        "movers": dict(counts.movers),
        "moving_users": counts.moving_users,
        "flaps": counts.flaps,
        "flapping_users": counts.flapping_users,
        "new_users": counts.new_users,
        "erased_users": counts.erased_users,
        "segments": dict(sorted(counts.segments.items())),
    }
