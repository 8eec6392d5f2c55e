"""What others published on public data, fitted again by our own fit. tests/data/reference/README.txt names
the sources of data and figures; the steps are those of the published notebooks."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from schemas.features import Feature
from trainer.fit import Fit, fit
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_rows import select

DATA = Path(__file__).parents[2] / "data" / "reference"


def fitted(data: pd.DataFrame, settings: FitSettings) -> Fit:
    """A row each of ``data`` a user who trains, in the rows' order."""
    everybody = {"user_id": [f"{row:06}" for row in range(len(data))], "total_orders": [1] * len(data)}
    columns = {feature.name: data[feature.name].to_list() for feature in settings.features}
    return fit(select(pa.table({**everybody, **columns}), settings), settings)


def number(name: str) -> Feature:
    return Feature(name, "sum", "price")


def text(name: str) -> Feature:
    return Feature(name, "last", "brand")


@cache
def wholesale() -> Fit:
    read = pd.read_csv(DATA / "wholesale_customers.csv").drop(columns=["Channel", "Region"])
    spending = read.apply(np.log)
    lower, upper = spending.quantile(0.25), spending.quantile(0.75)
    step = 1.5 * (upper - lower)
    outlier = ((spending < lower - step) | (spending > upper + step)).any(axis=1)
    assert (len(spending), outlier.sum()) == (440, 42)
    features = tuple(number(str(name)) for name in spending.columns)
    settings = FitSettings(scaling="none", components=2, k=4, k_min=2, k_max=4, features=features)
    return fitted(spending[~outlier], settings)


@cache
def customers() -> Fit:
    data = pd.read_csv(DATA / "segmentation_data.csv")
    # The published run takes these as the codes that the file holds; as text, our encoder has to find them.
    coded = ("gender", "Marital status", "Education", "Occupation", "Settlement size")
    data = data.astype(dict.fromkeys(coded, str))
    features = tuple(
        text(name) if name in coded else number(name) for name in data.columns.drop("ID").astype(str)
    )
    return fitted(data, FitSettings(components=3, k=4, features=features))


def test_wholesale_customers_explained_variance() -> None:
    assert wholesale().selection.users_used == 398
    explained = wholesale().pipeline.named_steps["project"].explained_variance_ratio_
    assert explained.sum() == pytest.approx(0.7252, abs=0.0001)


@pytest.mark.parametrize(
    ("k", "published", "tolerance"), [(2, 0.447158, 1e-6), (3, 0.363986, 1e-6), (4, 0.331151, 3e-4)]
)
def test_wholesale_customers_silhouette(k: int, published: float, tolerance: float) -> None:
    """At k = 4 k-means has several optima whose SSE differ in the sixth digit; the seed chooses."""
    found = {row.k: row.silhouette for row in wholesale().search.rows}
    assert found[k] == pytest.approx(published, abs=tolerance)


def test_wholesale_customers_at_k_4_with_another_seed_in_our_space() -> None:
    components = wholesale().components
    labels = KMeans(4, n_init=10, random_state=0).fit_predict(components)
    assert silhouette_score(components, labels) == pytest.approx(0.331151, abs=1e-6)


def test_segmentation_data() -> None:
    found = customers()
    assert found.selection.users_used == 2_000
    explained = found.pipeline.named_steps["project"].explained_variance_ratio_
    assert explained == pytest.approx([0.35696, 0.26251, 0.18821], abs=0.00001)
    # Optima that the seed chooses among: their SSE differ in the sixth digit, their sizes by 3.
    assert found.quality.sse == pytest.approx(4543.1148, abs=0.02)
    assert sorted(np.bincount(found.labels)) == pytest.approx([265, 460, 583, 692], abs=3)


def test_segmentation_data_with_another_seed_in_our_space() -> None:
    other = KMeans(4, n_init=10, random_state=42).fit(customers().components)
    assert other.inertia_ == pytest.approx(4543.1148, abs=0.0001)
    assert sorted(np.bincount(other.labels_)) == [265, 460, 583, 692]
