"""The demo's summary: counts, times, segments, and the explanation of one user's move."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from schemas.counted import counted
from schemas.outputs.segment_change import FeatureValue, SegmentChange
from segue.demo.demo_picture import segments_table
from segue.demo.stage import Played
from segue.demo.tally import BY_TIME, KINDS, Tally, by_time, percentiles
from segue.show.change_text import cause_words, segment_text, similar_text


def summary(tally: Tally, played: Played, latency_words: str, width: int) -> RenderableType:
    """Make the summary of counts and times.

    Args:
        tally: the counts.
        played: the measurements of the stage.
        latency_words: between which two moments the latencies are measured.
        width: the terminal's width in columns.
    """
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim")
    rows.add_column()
    rate = played.events / played.seconds if played.seconds else 0.0
    rows.add_row("events", f"{played.events:,} in {played.seconds:.1f} s, {rate:,.0f} a second")
    kinds = ", ".join(f"{tally.kinds[kind]:,} {kind}" for kind in (BY_TIME, *KINDS) if tally.kinds[kind])
    rows.add_row("changes", f"{len(tally.changes):,}: {kinds}")
    if moved := len({change.user_id for change in tally.changes if by_time(change)}):
        rows.add_row("time", f"{counted(moved, 'user')} moved because time passed")
    for index, reason in enumerate(tally.dead_letters):
        rows.add_row("dead letters" if index == 0 else "", Text(reason))
    if (found := percentiles(played.latencies_ms)) is not None:
        median, within = found
        rows.add_row("latency", f"median {median:,.0f} ms, 95% within {within:,.0f} ms, {latency_words}")
    return Group(
        Rule("What happened", align="left"),
        rows,
        Text(),
        Rule("Users by segment, and the difference to before", align="left"),
        segments_table(tally.names, tally.users, tally.users_before, width),
    )


def explanation(change: SegmentChange, names: Mapping[int, str], before: Mapping[str, FeatureValue]) -> Group:
    """Explain one change: the segments, the cause, and the features before and after.

    Args:
        change: the change of a user who had a segment before.
        names: the segments' names by id.
        before: the user's features before the change.
    """
    assert change.previous_segment is not None
    headline = Text(f"User {change.user_id} moved from ")
    headline.append_text(segment_text(change.previous_segment, names.get(change.previous_segment)))
    headline.append(" to ").append_text(segment_text(change.segment, change.segment_name))
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim")
    rows.add_column(overflow="fold")
    happened = "no event" if by_time(change) else f"of {change.occurred_at:%Y-%m-%d %H:%M} UTC"
    rows.add_row("why", f"{cause_words(change.cause)}, {happened}")
    for name, now in change.features.items():
        was = before.get(name)
        rows.add_row(name, _value(now) if was == now else f"{_value(was)} → {_value(now)}")
    rows.add_row("distance", f"{change.distance:.2f} to the centre of segment {change.segment}")
    rows.add_row("margin", f"{change.margin:.0%} nearer than the next centre")
    rows.add_row("most alike", similar_text(change.similar_users))
    rows.add_row("model", f"{change.model_version}, activation {change.activation}")
    return Group(Rule("One user, explained", align="left"), headline, rows)


def _value(value: FeatureValue) -> str:
    return "missing" if value is None else str(value)
