"""The article's own algorithm, written again from its text, and ours with the `article` preset, on thelook.

The user id, which the article leaves among its columns, is left out here, and the rows are in our order.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import LabelEncoder, StandardScaler

from trainer.fit import fit
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_rows import select
from trainer.warehouse import open_warehouse


def the_article(data: pd.DataFrame) -> pd.DataFrame:
    """Its `components`, with the column `cluster`; `data` is as its query gives it, user id and all."""
    data = data.dropna().drop(columns="USER_ID")
    encoder = LabelEncoder()
    data["GENDER"] = encoder.fit_transform(data["GENDER"])
    data["COUNTRY"] = encoder.fit_transform(data["COUNTRY"])
    data["TRAFFIC_SOURCE"] = encoder.fit_transform(data["TRAFFIC_SOURCE"])
    data["MOST_FREQUENT_BRAND"] = encoder.fit_transform(data["MOST_FREQUENT_BRAND"])
    data["MOST_FREQUENT_CATEGORY"] = encoder.fit_transform(data["MOST_FREQUENT_CATEGORY"])
    reducer = PCA(n_components=2, random_state=444)
    scaler = StandardScaler()
    features = scaler.fit_transform(data)
    reduced_features = reducer.fit_transform(features)
    components = pd.DataFrame(reduced_features, columns=["component_1", "component_2"])
    kmeans = KMeans(n_clusters=5, init="k-means++", max_iter=300, n_init=10, random_state=222)
    kmeans.fit(components)
    components["cluster"] = kmeans.labels_
    components.attrs["sse"] = kmeans.inertia_
    return components


def test_the_same_segments_on_thelook() -> None:
    with open_warehouse(str(files("segue") / "data" / "thelook")) as warehouse:
        table = warehouse.features()
    settings = FitSettings(encoding="label", k_min=5, k_max=5)  # the search is not what is compared
    ours = fit(select(table, settings), settings)

    data = table.to_pandas().sort_values("user_id").rename(columns=str.upper)
    theirs = the_article(data[data["TOTAL_ORDERS"] > 0])

    assert len(theirs) == ours.selection.users_used == 15_898
    np.testing.assert_allclose(ours.components, theirs[["component_1", "component_2"]], atol=1e-12)
    assert ours.quality.sse == pytest.approx(theirs.attrs["sse"], rel=1e-12)
    assert adjusted_rand_score(ours.labels, theirs["cluster"]) == 1.0
