"""Shows the published releases as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from trainer.publish.release_history import Publication, Published

_METRICS = ("silhouette", "explained_variance")
_CURRENT = "current"
# The widths of columns that are never cut, even if the terminal is narrower than the table.
_HASH, _TIME, _USERS = len("0123456789ab"), len("2024-05-06 07:08"), len("1,000,000")


def releases_as_json(known: Published) -> Iterator[dict[str, object]]:
    """Yield each release's fields for programs, the newest release first.

    ``place`` is the release's place in the list: 1 for the release whose last activation is the oldest.
    """
    for place, each in _newest_first(known):
        release = each.release
        yield {
            "place": place,
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


def place_of(known: Published, version: str) -> int | None:
    """Return a release's place in the list; None if the list does not have it."""
    return next((place for place, each in _newest_first(known) if each.release.version == version), None)


def releases_table(known: Published) -> Table:
    """Return the same as a table for people. Lists wrap, and no cell is cut: a version must stay whole."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("#", justify="right")
    table.add_column("", min_width=len(_CURRENT))
    for heading, width in (("version", _HASH), ("created", _TIME), ("published", _TIME)):
        table.add_column(heading, no_wrap=True, min_width=width)
    for heading in ("activations", "segments"):
        table.add_column(heading, min_width=len(heading))
    table.add_column("users", justify="right", no_wrap=True, min_width=_USERS)
    table.add_column("space", no_wrap=True, min_width=_HASH)
    for name in _METRICS:
        words = name.split("_")
        table.add_column(" ".join(words), justify="right", min_width=max(map(len, words)))
    for place, each in _newest_first(known):
        table.add_row(*_cells(place, each, is_current=each is known.current))
    return table


def _newest_first(known: Published) -> Iterator[tuple[int, Publication]]:
    return zip(range(len(known.releases), 0, -1), reversed(known.releases), strict=True)


def _cells(place: int, each: Publication, *, is_current: bool) -> Iterator[Text]:
    release = each.release
    yield Text(str(place))
    yield Text(_CURRENT if is_current else "", style="green")
    yield Text(release.version, style="bold")
    yield from (Text(_minute(time)) for time in (each.created_at, each.published_at))
    yield Text(", ".join(map(str, each.activations)))
    yield Text(", ".join(str(segment.id) for segment in release.segments))
    yield Text(f"{release.training.users_used:,}")
    yield Text(release.space)
    yield from (Text(f"{release.metrics[name]:.3f}" if name in release.metrics else "") for name in _METRICS)


def _minute(time: str | None) -> str:
    """Shorten 2024-05-06T07:08:09Z to 2024-05-06 07:08."""
    return (time or "")[:16].replace("T", " ")
