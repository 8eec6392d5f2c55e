"""A fit of the thelook users, made once for all benchmarks."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from schemas.features import FEATURE_NAMES
from schemas.release.model_release import ModelRelease
from streamer.segment.scoring import Scorer
from trainer.fit import Fit, fit
from trainer.release.pipeline_numbers import release_of
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_rows import select
from trainer.warehouse import open_warehouse


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fit, the scorer of its release, and the training rows as a worker has them."""

    fit: Fit
    scorer: Scorer
    rows: list[dict[str, Any]]


@cache
def fitted() -> Fitted:
    """Fit the default preset to all of thelook, without the search for k, whose result would not be used."""
    with open_warehouse(str(files("segue") / "data" / "thelook")) as warehouse:
        table = warehouse.features()
    settings = FitSettings(k_min=5, k_max=5)
    made = fit(select(table, settings), settings)
    rows = made.selection.rows.select(list(FEATURE_NAMES)).to_pylist()
    return Fitted(made, Scorer(_release(made)), rows)


def release(of: Fitted) -> ModelRelease:
    """The release of a fit; its segments have numbers for names."""
    return _release(of.fit)


def _release(made: Fit) -> ModelRelease:
    return release_of(made, [f"segment {cluster}" for cluster in range(made.pipeline["cluster"].n_clusters)])
