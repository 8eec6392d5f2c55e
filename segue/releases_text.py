"""The releases that were published, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from rich.table import Table
from rich.text import Text

from trainer.published import Publication, Published

_METRICS = ("silhouette", "explained_variance")


def releases_lines(known: Published) -> Iterator[str]:
    """One JSON object a release, the newest first."""
    for each in reversed(known.releases):
        release = each.release
        told = {
            "version": release.version,
            "current": each is known.current,
            "created_at": each.created_at,
            "published_at": each.published_at,
            "activations": each.activations,
            "continues": release.continues,
            "space": release.space,
            "segments": [{"id": s.id, "name": s.name, "size": s.size} for s in release.segments],
            "users_read": release.training.users_read,
            "users_used": release.training.users_used,
            "as_of": release.training.as_of,
            "metrics": release.metrics,
            "artifacts_uri": release.artifacts_uri,
        }
        yield msgspec.json.encode(told).decode()


def releases_table(known: Published) -> Table:
    """The same for people."""
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for heading in ("", "version", "created", "published", "activations", "segments"):
        table.add_column(heading)
    table.add_column("users", justify="right")
    table.add_column("space")
    for name in _METRICS:
        table.add_column(name.replace("_", " "), justify="right")
    for each in reversed(known.releases):
        table.add_row(*_cells(each, is_current=each is known.current))
    return table


def _cells(each: Publication, *, is_current: bool) -> Iterator[Text]:
    release = each.release
    yield Text("current" if is_current else "", style="green")
    yield Text(release.version, style="bold")
    yield from (Text(_minute(time)) for time in (each.created_at, each.published_at))
    yield Text(", ".join(map(str, each.activations)))
    yield Text(", ".join(str(segment.id) for segment in release.segments))
    yield Text(f"{release.training.users_used:,}")
    yield Text(release.space)
    yield from (Text(f"{release.metrics[name]:.3f}" if name in release.metrics else "") for name in _METRICS)


def _minute(time: str | None) -> str:
    """2024-05-06T07:08:09Z as 2024-05-06 07:08."""
    return (time or "")[:16].replace("T", " ")
