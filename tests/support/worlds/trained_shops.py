"""Small shops to train on: tables of features as a warehouse gives them, and releases trained on them."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.features import FEATURES, Feature
from trainer.controls import evaluate
from trainer.fit import Fit, fit
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_rows import select
from trainer.train import train
from trainer.warehouse import schema_of

CREATED_AT = datetime(2024, 5, 6, tzinfo=UTC)
# The search over k takes most of the time of a fit, and few tests need it.
QUICK = FitSettings(k_min=5, k_max=5)


def features_named(*names: str) -> tuple[Feature, ...]:
    """Return these features of the article."""
    return tuple(next(feature for feature in FEATURES if feature.name == name) for name in names)


def features_table(rows: Sequence[Mapping[str, object]]) -> pa.Table:
    """Return a table of features as a warehouse gives it; a feature missing in a row gets a usual value."""
    usual = {
        "age": 30.0,
        "gender": "F",
        "country": "Spain",
        "traffic_source": "Search",
        "total_orders": 1,
        "most_frequent_brand": "Levi's",
        "most_frequent_category": "Jeans",
    }
    full = [{"user_id": f"u{place:06}", **usual, **row} for place, row in enumerate(rows)]
    return pa.Table.from_pylist(full, schema_of(FEATURES))


def a_shop(users: int = 300, seed: int = 1) -> pa.Table:
    """Return random users: about one in ten has no order, and one in twenty of the others no brand."""
    rng = np.random.default_rng(seed)

    def pick(values: Sequence[str]) -> str:
        # Uneven weights give each value another frequency, so that frequency encoding separates the values.
        weights = np.arange(len(values), 0, -1.0)
        return str(rng.choice(values, p=weights / weights.sum()))

    rows: list[dict[str, object]] = []
    for _ in range(users):
        buys = rng.random() > 0.1
        branded = buys and rng.random() > 0.05
        rows.append(
            {
                "age": float(rng.integers(12, 71)),
                "gender": pick(["F", "M"]),
                "country": pick(["China", "España", "Spain", "Österreich"]),
                "traffic_source": pick(["Search", "Organic", "Email"]),
                "total_orders": int(rng.integers(1, 5)) if buys else None,
                "most_frequent_brand": pick(["Levi's", "Carhartt", "2(x)ist", "adidas"]) if branded else None,
                "most_frequent_category": pick(["Jeans", "Socks", "Suits"]) if buys else None,
            }
        )
    return features_table(rows)


def a_shop_of_kinds(users: int = 600, seed: int = 1, brands: int = 3) -> pa.Table:
    """Return users of three kinds that differ in gender, brands and categories; the rest is noise."""
    rng = np.random.default_rng(seed)
    kinds = [
        ("F", [f"Acme {number}" for number in range(brands)], ["Dresses", "Skirts"]),
        ("M", [f"Bolt {number}" for number in range(brands)], ["Suits", "Ties"]),
        ("F", [f"Cog {number}" for number in range(brands)], ["Tools", "Paint"]),
    ]
    rows: list[dict[str, object]] = []
    for _ in range(users):
        gender, own, categories = kinds[rng.integers(3)]
        # One user in twenty buys a brand of a random kind.
        _, others, _ = kinds[rng.integers(3)]
        rows.append(
            {
                "age": float(rng.integers(12, 71)),
                "gender": gender,
                "country": str(rng.choice(["China", "Spain", "Japan"])),
                "traffic_source": str(rng.choice(["Search", "Email"])),
                "total_orders": int(rng.integers(1, 5)),
                "most_frequent_brand": str(rng.choice(own if rng.random() > 0.05 else others)),
                "most_frequent_category": str(rng.choice(categories)),
            }
        )
    return features_table(rows)


class Shop:
    """A warehouse with given features."""

    def __init__(
        self,
        table: pa.Table | None = None,
        rejected: Mapping[tuple[str, str], int] | None = None,
        cause: str | None = None,
    ) -> None:
        self.table = a_shop() if table is None else table
        self.asked: list[tuple[datetime | None, tuple[str, ...]]] = []
        self._rejected = rejected or {}
        self._cause = cause

    def has(self, feature: Feature) -> bool:
        return feature.name in self.table.column_names

    def features(
        self,
        as_of: datetime | None,
        exclude_statuses: tuple[str, ...],
        features: tuple[Feature, ...],
        *,
        day: date | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pa.Table:
        self.asked.append((as_of, exclude_statuses))
        return self.table

    def feature_query(self, *asked: object, **window: object) -> str:
        return "select 1"

    def cause(self, as_of: datetime | None) -> str | None:
        return self._cause

    def rejected(self, as_of: datetime | None) -> Any:
        return SimpleNamespace(counts=self._rejected)

    def counts(self, as_of: datetime | None) -> Any:
        return SimpleNamespace(last_at=None)

    def followup(self, since: datetime, until: datetime, exclude_statuses: tuple[str, ...]) -> pa.Table:
        raise AssertionError("without a fact there is nothing to ask for")


def a_trained_folder(out: Path, settings: FitSettings = QUICK) -> Path:
    """Return a release of :func:`a_shop`, trained once for all tests and copied into ``out``."""
    made = _trained(settings, evaluate.RESAMPLES)
    return Path(shutil.copytree(made, out / made.name, dirs_exist_ok=True))


@cache
def _trained(settings: FitSettings, _resamples: int) -> Path:
    # Tests train with few resamples or with all, and a release's version tells them apart.
    folder = Path(mkdtemp(prefix="segue-releases-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return train(Shop(), settings, folder, created_at=CREATED_AT)


@cache
def fitted_shop(settings: FitSettings) -> Fit:
    """Return the fit of :func:`a_shop`, made once for all tests: never change it."""
    return fit(select(a_shop(), settings), settings)
