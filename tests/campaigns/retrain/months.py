"""Retrain at the beginning of each month from the release before, and count the users who move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from schemas.release.model_release import ModelRelease
from trainer.release.current_release import Current, current_from
from trainer.release.impact import Impact, impact_and_drift_in
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_window import Window
from trainer.train import train
from trainer.warehouse import Warehouse, open_warehouse

LAST = (2025, 1)
"""The last month in thelook's data."""


@dataclass(frozen=True, slots=True)
class Month:
    """A retrain; ``impact`` is None for the first."""

    at: datetime
    folder: Path
    release: ModelRelease
    impact: Impact | None


def starts(count: int) -> list[datetime]:
    """Return the beginnings (UTC) of the last ``count`` months of the data, in order."""
    year, month = LAST
    last = 12 * year + month - 1
    return [
        datetime(place // 12, place % 12 + 1, 1, tzinfo=UTC) for place in range(last - count + 1, last + 1)
    ]


def retrained(count: int, settings: FitSettings, out: Path) -> Iterator[Month]:
    """Retrain for the last ``count`` months of thelook; the first month gives a first release."""
    current: Current | None = None
    with thelook() as warehouse:
        for at in starts(count):
            folder = train(
                warehouse, settings, out, current=current, window=Window(at, day=at.date()), created_at=at
            )
            impact, _ = impact_and_drift_in((folder / "report.json").read_bytes())
            current = current_from(folder)
            yield Month(at, folder, current.release, impact)


def thelook() -> Warehouse:
    """Open the example data in Segue's package."""
    return open_warehouse(str(files("segue") / "data" / "thelook"))
