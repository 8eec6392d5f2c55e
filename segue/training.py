"""A release from a warehouse, with the settings of the command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from schemas.release import ModelRelease
from segue.settings import Settings
from trainer.current import Current
from trainer.presets import preset_named
from trainer.release import load_release
from trainer.settings import CategoryEncoding, FitSettings
from trainer.train import train
from trainer.warehouse import Warehouse
from trainer.window import Window


def fit_settings(
    preset: str, *, k: str | None, encoding: str | None, components: int | None, compare: bool
) -> FitSettings:
    """A preset with what the command's options change in it.

    Args:
        preset: its name.
        k: a number of segments, or ``auto``.
        encoding: of text.
        components: dimensions of the space.
        compare: whether the encodings are held against controls.

    Raises:
        BadSetting: there is no such preset, or a value cannot be used.
    """
    fit = replace(preset_named(preset), compare=compare)
    if k is not None:
        fit = replace(fit, k=None if k == "auto" else int(k))
    if encoding is not None:
        fit = replace(fit, encoding=cast(CategoryEncoding, encoding))  # which FitSettings checks
    return fit if components is None else replace(fit, components=components)


def train_release(
    warehouse: Warehouse,
    settings: Settings,
    out: Path,
    say: Callable[[str], None],
    *,
    window: Window,
    current: Current | None = None,
    refit_space: bool = False,
    fit: FitSettings | None = None,
) -> tuple[Path, ModelRelease]:
    """Train, and give the release's folder and what lies in it; errors as of :func:`trainer.train.train`.

    ``fit`` is the article's where it is not given; the features and the statuses are the settings'.
    """
    complete = replace(
        fit or FitSettings(), features=settings.model_features, exclude_statuses=settings.exclude_statuses
    )
    path = train(warehouse, complete, out, say, window=window, current=current, refit_space=refit_space)
    return path, load_release(path)
