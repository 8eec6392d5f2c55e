"""Opens the pages and writes their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from tests.campaigns.pictures.real_run import RealRun
from tests.support.servers.headless_chromium import Chromium

WIDTHS = (420, 1280)
_QUALITY = 82
_READY = "document.fonts.ready.then(() => true)"
# Resolves when the live page has shown changes and renewed its figures.
_LIVE = """
new Promise((resolve) => {
  const look = () => document.querySelectorAll("#changes li").length >= 8 &&
    document.querySelectorAll("#flow-title ~ table tbody tr").length >= 8
      ? resolve(true) : setTimeout(look, 200);
  look();
})
"""
_REHEARSAL = "document.getElementById('rehearsal').closest('section').getBoundingClientRect().top - 16"
# The top of a heading and the top of the heading after the part.
_BOX = """
(() => ["{begin}", "{end}"].map((id) => document.getElementById(id).getBoundingClientRect().top))()
"""
_IMAGINED = {"age": 34, "gender": "F", "total_orders": 2, "country": "Brasil", "traffic_source": "Search"}
_PARTS = {
    "report-segments": ("segments", "worth", 760),
    "report-worth": ("worth", "choice", 1_200),
    "report-space": ("choice", "changes", 2_200),
}
"""Parts of the report: the headings at which they begin and end, and the most pixels of their height."""


class Shot(NamedTuple):
    """A page, the height of its picture, what must be there first, and the script for its top."""

    name: str
    page: str | Path
    height: int
    ready: str = _READY
    top: str | None = None


def shots(run: RealRun) -> Iterator[Shot]:
    """Yield the pages to take."""
    yield Shot("console", run.address, 1_000, _LIVE)
    yield Shot("user", f"{run.address}/user?{urlencode({'id': run.user_id})}", 1_100)
    yield Shot("form", f"{run.address}/predict?{urlencode(_IMAGINED)}", 1_000)
    yield Shot("dead-letters", f"{run.address}/dead-letters", 900)
    yield Shot("rehearsal", f"{run.address}/releases/{run.rehearsed}", 720, top=_REHEARSAL)
    yield Shot("report", run.report, 1_150)


def take_pictures(run: RealRun, chromium: Chromium, folder: Path) -> Iterator[Path]:
    """Write the pictures as WebP, and yield their files: name, width, and `-dark` for a dark page.

    Args:
        run: what is shown.
        chromium: shows it.
        folder: where the pictures go.
    """
    for shot in shots(run):
        for width in WIDTHS:
            for dark in (False, True):
                top = 0 if shot.top is None else chromium.visit(shot.page, width, shot.top).measured
                image = _image(width, top, shot.height)
                visit = chromium.visit(shot.page, width, shot.ready, dark=dark, image=image)
                yield _write(folder / f"{shot.name}-{width}{'-dark' if dark else ''}.webp", visit.picture)
    width = WIDTHS[-1]
    for name, (begin, end, most) in _PARTS.items():
        top, bottom = chromium.visit(run.report, width, _BOX.format(begin=begin, end=end)).measured
        image = _image(width, top, min(most, bottom - top))
        yield _write(folder / f"{name}.webp", chromium.visit(run.report, width, _READY, image=image).picture)


def _image(width: int, top: float, height: float) -> dict[str, object]:
    """Return the options of a picture of a part of a page."""
    clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
    return {"captureBeyondViewport": True, "format": "webp", "quality": _QUALITY, "clip": clip}


def _write(file: Path, picture: bytes) -> Path:
    file.write_bytes(picture)
    return file
