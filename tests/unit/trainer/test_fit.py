from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from msgspec import structs
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from schemas.errors import BadTraining
from tests.support.worlds.trained_shops import QUICK, a_shop, features_named, features_table, fitted_shop
from trainer.fit import Fit, fit
from trainer.steps.fit_settings import CategoryEncoding, FitSettings
from trainer.steps.training_rows import select


def fitted(table: pa.Table, settings: FitSettings) -> Fit:
    return fit(select(table, settings), settings)


def test_the_parameters_are_the_articles() -> None:
    steps = fitted_shop(QUICK).pipeline.named_steps
    # The seed counts for wide tables only, where scikit-learn takes another solver.
    assert (steps["project"].n_components, steps["project"].random_state) == (2, 444)
    cluster = steps["cluster"]
    assert (cluster.n_clusters, cluster.init, cluster.n_init) == (5, "k-means++", 10)
    assert (cluster.max_iter, cluster.random_state) == (300, 222)


@pytest.mark.parametrize("encoding", ["label", "frequency", "one-hot"])
def test_the_pipeline_is_what_its_own_fit_gives(encoding: CategoryEncoding) -> None:
    ours = fitted_shop(replace(QUICK, encoding=encoding))
    rows = ours.selection.rows.to_pandas()
    assert list(ours.pipeline.named_steps) == ["encode", "scale", "project", "cluster"]
    assert ours.pipeline.predict(rows).tolist() == ours.labels.tolist()
    np.testing.assert_allclose(ours.pipeline[:-1].transform(rows), ours.components, atol=1e-12)
    again = clone(ours.pipeline).fit(rows)
    assert adjusted_rand_score(again.named_steps["cluster"].labels_, ours.labels) == 1.0


def test_other_features_components_and_k() -> None:
    settings = FitSettings(
        features=features_named("age", "country", "total_orders"), components=3, k=4, k_max=4
    )
    ours = fitted(a_shop(), settings)
    assert ours.components.shape == (ours.selection.users_used, 3)
    assert sorted(set(ours.labels)) == [0, 1, 2, 3]


def test_the_search_takes_the_elbow() -> None:
    # Four clusters on the corners of a square; inside a cluster ages differ by at most 2.
    rows: list[dict[str, object]] = [
        {"age": age + step, "total_orders": orders}
        for age in (15.0, 75.0)
        for orders in (1, 40)
        for step in (0, 1, 2)
    ]
    settings = FitSettings(k=None, k_max=8, features=features_named("age", "total_orders"))
    ours = fitted(features_table(rows), settings)
    assert [row.k for row in ours.search.rows] == list(range(2, 9))
    assert ours.search.elbow == 4
    assert ours.pipeline.named_steps["cluster"].n_clusters == 4
    assert ours.labels.tolist() == np.repeat(ours.labels[::3], 3).tolist()


def test_no_elbow_to_take() -> None:
    rows: list[dict[str, object]] = [{"age": 1.0}, {"age": 2.0}, {"age": 4.0}]
    settings = FitSettings(k=None, k_min=2, k_max=3, components=1, features=features_named("age"))
    with pytest.raises(BadTraining, match=r"no elbow for k from 2 to 3: set k, or search a wider range"):
        fitted(features_table(rows), settings)


def test_more_components_than_columns() -> None:
    settings = FitSettings(k=2, components=3, features=features_named("age", "gender"))
    with pytest.raises(BadTraining, match="3 components cannot be made from 2 columns: set components to 2"):
        fitted(a_shop(), settings)
    one_hot = FitSettings(
        k=2, k_max=2, components=3, features=features_named("age", "gender"), encoding="one-hot"
    )
    assert fitted(a_shop(), one_hot).components.shape[1] == 3


def test_more_components_than_users() -> None:
    rows: list[dict[str, object]] = [{"age": 1.0, "gender": "F"}, {"age": 2.0, "gender": "M"}]
    settings = FitSettings(
        k=2, components=4, encoding="one-hot", features=features_named("age", "gender", "total_orders")
    )
    rows[1]["total_orders"] = 3
    with pytest.raises(BadTraining, match="4 components cannot be made from 2 training users"):
        fitted(features_table(rows), settings)


def test_values_of_equal_frequency_have_nothing_to_tell() -> None:
    rows: list[dict[str, object]] = [
        {"age": float(age), "gender": gender} for age in (1, 2, 3) for gender in ("F", "M")
    ]
    settings = FitSettings(k=2, encoding="frequency", features=features_named("age", "gender"))
    with pytest.raises(BadTraining, match="feature gender has 2 values of equal frequency"):
        fitted(features_table(rows), settings)


def test_one_group_has_nothing_to_tell() -> None:
    orders = structs.replace(features_named("total_orders")[0], quantile=5)
    rows: list[dict[str, object]] = [
        {"age": float(age), "total_orders": 1 if age == 20 else 2} for age in range(20, 30)
    ]
    settings = FitSettings(k=2, features=(*features_named("age"), orders))
    with pytest.raises(BadTraining) as caught:
        fitted(features_table(rows), settings)
    assert str(caught.value) == (
        "feature total_orders is one group, not 5: too many training users have the largest value, leave "
        "declare.total_orders.quantile out, or total_orders out of the setting features"
    )


def test_users_who_differ_but_not_in_the_components() -> None:
    # Age and orders vary together and gender not with them: on one component F and M fall together.
    rows: list[dict[str, object]] = [
        {"age": 10.0 * number, "total_orders": number, "gender": gender}
        for number in (1, 2)
        for gender in ("F", "M")
    ]
    settings = FitSettings(k=3, components=1, features=features_named("age", "total_orders", "gender"))
    with pytest.raises(BadTraining) as caught:
        fitted(features_table(rows), settings)
    assert "2 different positions" in str(caught.value) or "too close together" in str(caught.value)


def test_columns_that_do_not_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    # 300 users, 1 + 2 + 4 + 3 + 1 + 4 + 3 columns, 8 bytes, 4 copies: about 0.1 MB.
    monkeypatch.setattr(os, "sysconf", lambda name: {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 10}[name])
    with pytest.raises(BadTraining, match=r"one-hot encoding makes 18 columns for 2\d\d users") as caught:
        fitted(a_shop(), FitSettings(encoding="one-hot"))
    assert "leave country (4 values) out" in str(caught.value)
    fitted(a_shop(), FitSettings(features=features_named("age", "gender"), k=2, k_max=2))


def test_an_unknown_value_lies_where_the_mean_lies() -> None:
    ours = fitted_shop(QUICK)
    nothing = pd.DataFrame([dict.fromkeys(ours.settings.names)])
    np.testing.assert_allclose(ours.pipeline[:-1].transform(nothing), [[0, 0]], atol=1e-12)
