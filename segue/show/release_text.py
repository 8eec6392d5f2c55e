"""Describes a release in words: its training users, its quality and its segments."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group
from rich.table import Table
from rich.text import Text

from schemas.counted import counted
from schemas.days import bound_text, zone_of
from schemas.release.model_release import ModelRelease
from segue.show.change_text import segment_text

_METRICS = {"silhouette": "silhouette", "explained_variance": "explained variance"}


def release_text(release: ModelRelease, time_zone: str) -> Group:
    """Describe a release for people at a terminal.

    Args:
        release: the release.
        time_zone: the name of the zone in which the bounds of the training are shown.
    """
    training, zone = release.training, zone_of(time_zone)
    when = f", as of {bound_text(training.as_of, zone)}" if training.as_of else ""
    if training.day_read is not None:
        when += f", on {training.day_read}"
    if training.start or training.end:
        bounds = (("from", training.start), ("to", training.end))
        when += f", who ordered {' '.join(f'{word} {bound_text(at, zone)}' for word, at in bounds if at)}"
    title = Text(f"Release {release.version}: ", style="bold")
    title.append(
        f"{training.users_used:,} of {counted(training.users_read, 'user')}{when}", style="default not bold"
    )
    metrics = "; ".join(
        f"{words} {release.metrics[name]:.3f}" for name, words in _METRICS.items() if name in release.metrics
    )
    rows = Table.grid(padding=(0, 2))
    rows.add_column()
    rows.add_column(justify="right")
    rows.add_column(justify="right", style="dim")
    total = sum(segment.size for segment in release.segments)
    for segment in release.segments:
        rows.add_row(
            segment_text(segment.id, segment.name),
            counted(segment.size, "user"),
            f"{segment.size / total:.0%}",
        )
    return Group(title, Text(metrics, style="dim"), rows)


def continuity_text(before: ModelRelease, release: ModelRelease) -> Iterator[str]:
    """Yield sentences about ended and new segments; no sentences if all segments continue.

    Args:
        before: the release that was continued.
        release: the new release.
    """
    kept = {segment.id for segment in before.segments} & {segment.id for segment in release.segments}
    ended, new = (
        [f"segment {each.id} ({each.name})" for each in segments if each.id not in kept]
        for segments in (before.segments, release.segments)
    )
    if ended:
        ends = "it ends, and its id is" if len(ended) == 1 else "they end, and their ids are"
        yield f"no segment of this release has the users of {', '.join(ended)}: {ends} never used again"
    if new:
        yield f"new: {', '.join(new)}"
