"""A release from a warehouse, with the settings of the command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import cast

from schemas.release import ModelRelease
from segue.settings import Settings
from trainer.current import Current
from trainer.release import load_release
from trainer.settings import CategoryEncoding, FitSettings
from trainer.train import train
from trainer.warehouse import Warehouse


def train_release(
    warehouse: Warehouse,
    settings: Settings,
    out: Path,
    say: Callable[[str], None],
    *,
    as_of: datetime | None,
    current: Current | None = None,
    refit_space: bool = False,
    k: int | None = 5,
    encoding: str = "label",
    components: int = 2,
) -> tuple[Path, ModelRelease]:
    """Train, and give the release's folder and what lies in it; errors as of :func:`trainer.train.train`."""
    fit = FitSettings(
        encoding=cast(CategoryEncoding, encoding),  # which FitSettings checks
        components=components,
        k=k,
        features=settings.model_features,
        exclude_statuses=settings.exclude_statuses,
    )
    path = train(warehouse, fit, out, say, as_of=as_of, current=current, refit_space=refit_space)
    return path, load_release(path)
