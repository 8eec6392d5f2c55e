"""Opens the pages and writes their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from tests.campaigns.pictures.real_run import RealRun
from tests.support.servers.headless_chromium import Chromium

WIDTHS = {"telephone": 420, "screen": 1280}
_QUALITY = 82
_READY = "document.fonts.ready.then(() => true)"
# Resolves when the live page has shown changes and renewed its figures.
_LIVE = """
new Promise((resolve) => {
  const look = () => document.querySelectorAll("#changes li").length >= 8 &&
    document.querySelectorAll("#flow-title ~ table tbody tr").length >= 8 ? resolve(true) : setTimeout(look, 200);
  look();
})
"""
_IMAGINED = {"age": 34, "gender": "F", "total_orders": 2, "country": "Brasil", "traffic_source": "Search"}


class Shot(NamedTuple):
    """A page, the height of its picture, and what must be there first."""

    name: str
    page: str | Path
    height: int
    ready: str = _READY


def shots(run: RealRun) -> Iterator[Shot]:
    """Yield the pages to take."""
    yield Shot("console", run.address, 1_150, _LIVE)
    yield Shot("user", f"{run.address}/user?{urlencode({'id': run.user_id})}", 1_150)
    yield Shot("form", f"{run.address}/predict?{urlencode(_IMAGINED)}", 1_150)
    yield Shot("dead-letters", f"{run.address}/dead-letters", 900)
    yield Shot("report", run.report, 1_150)


def take_pictures(run: RealRun, chromium: Chromium, folder: Path) -> Iterator[Path]:
    """Write the pictures as WebP, and yield their files: name, width, and `-dark` for a dark page.

    Args:
        run: what is shown.
        chromium: shows it.
        folder: where the pictures go.
    """
    for shot in shots(run):
        for width in WIDTHS.values():
            for dark in (False, True):
                image = {
                    "captureBeyondViewport": True,
                    "format": "webp",
                    "quality": _QUALITY,
                    "clip": {"x": 0, "y": 0, "width": width, "height": shot.height, "scale": 1},
                }
                visit = chromium.visit(shot.page, width, shot.ready, dark=dark, image=image)
                file = folder / f"{shot.name}-{width}{'-dark' if dark else ''}.webp"
                file.write_bytes(visit.picture)
                yield file
