from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
from markupsafe import escape

from tests.support.worlds.trained_shops import a_shop, features_named, features_table
from trainer.controls.named_k import disagreement_in
from trainer.controls.traits import traits_of
from trainer.fit import Fit, fit
from trainer.names.segment_names import name_segments
from trainer.release.pipeline_numbers import release_of
from trainer.report import Report, page, report_of
from trainer.report.report_numbers import COLUMNS, SCATTERED, Rejected, Share
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_rows import select


def reported(table: pa.Table, settings: FitSettings) -> tuple[Fit, Report]:
    fitted = fit(select(table, settings), settings)
    traits = traits_of(fitted.selection.rows, fitted.labels, settings.features)
    names = name_segments(traits, settings.features)
    rejected = {("users", "age is 190"): 3, ("orders", "created_at is missing"): 2}
    return fitted, report_of(fitted, release_of(fitted, names), rejected, traits)


def the_articles_report(dataset: pd.DataFrame, cluster: int) -> dict[str, object]:
    """Its build_report, from its text."""
    report: dict[str, object] = {}
    for col in COLUMNS:
        group = dataset[dataset["cluster"] == cluster]
        info = (
            group.groupby(col)[["user_id"]]
            .count()
            .sort_values(by="user_id", ascending=False, kind="stable")
            .reset_index()
        )
        info["ratio"] = np.round((info["user_id"] / info["user_id"].sum()) * 100, 2)
        report[col] = info[[col, "ratio"]].iloc[:3].to_numpy().tolist()
        report["cluster_ratio"] = np.round((group.shape[0] / dataset.shape[0]) * 100, 2)
    return report


def test_the_articles_table() -> None:
    fitted, report = reported(a_shop(), FitSettings())
    dataset = fitted.selection.rows.to_pandas()
    dataset["cluster"] = fitted.labels
    for segment in report.segments:
        theirs = the_articles_report(dataset, segment.id)
        assert segment.cluster_ratio == theirs["cluster_ratio"]
        for column in COLUMNS:
            ours = [[share.value, share.ratio] for share in segment.top[column]]
            assert ours == theirs[column], column


def test_equally_common_values_by_size() -> None:
    ages = [40.0, 20.0, 30.0, 20.0, 40.0, 90.0, 90.5]
    table = features_table([{"age": age} for age in ages])
    settings = FitSettings(k=2, components=1, features=features_named("age"))
    _, report = reported(table, settings)
    by_size = sorted(report.segments, key=lambda segment: segment.size)
    assert by_size[0].top == {"age": (Share(90, 50.0), Share(90.5, 50.0))}
    assert by_size[1].top == {"age": (Share(20, 40.0), Share(40, 40.0), Share(30, 20.0))}
    # 2 of 7 and 5 of 7 users.
    assert [segment.cluster_ratio for segment in by_size] == [28.57, 71.43]


def test_users_and_rows_left_out() -> None:
    fitted, report = reported(a_shop(), FitSettings())
    table = a_shop()
    assert report.users.read == 300
    assert report.users.used == table.drop_null().num_rows
    assert report.users.without_orders == table["total_orders"].null_count
    assert report.users.nulls["most_frequent_brand"] == table["most_frequent_brand"].null_count
    assert list(report.users.nulls) == list(fitted.settings.names)
    assert report.users.missing == fitted.selection.missing
    assert report.rejected == (
        Rejected("orders", "created_at is missing", 2),
        Rejected("users", "age is 190", 3),
    )


def test_the_json_holds_what_the_fit_found() -> None:
    fitted, report = reported(a_shop(), FitSettings(encoding="one-hot"))
    told = json.loads(report.json())
    assert [row["k"] for row in told["search"]["rows"]] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert [row["sse"] for row in told["search"]["rows"]] == [row.sse for row in fitted.search.rows]
    assert told["k"] == 5
    assert told["columns"] == 18  # age and total_orders, and 2 + 4 + 3 + 4 + 3 values
    assert told["settings"]["encoding"] == "one-hot"
    assert told["metrics"]["sse"] == fitted.quality.sse
    explained = fitted.pipeline.named_steps["project"].explained_variance_ratio_
    assert told["explained_variance"] == explained.tolist()
    assert sum(segment["size"] for segment in told["segments"]) == report.users.used


def test_the_warning_about_k_is_that_of_the_terminal() -> None:
    _, report = reported(a_shop(), FitSettings(k=7))
    assert report.k_unclear is not None
    assert disagreement_in(report.json()) == report.k_unclear
    assert json.loads(report.json())["k_unclear"] == report.k_unclear
    html = page(report, np.zeros((1, 2)), np.zeros(1, dtype=np.int32)).decode()
    assert html.count(str(escape(report.k_unclear))) == 2  # in the summary, and beside the curves


def test_the_scatter_has_every_user_of_a_small_shop_beside_its_segment_and_a_sample_of_a_large_one() -> None:
    fitted, report = reported(a_shop(), FitSettings())
    assert sum(map(len, report.scatter)) == report.users.used
    for place, points in enumerate(report.scatter):
        assert np.allclose(points, fitted.components[fitted.labels == place], atol=0.0006)
    _, report = reported(a_shop(2_000), FitSettings())
    assert abs(sum(map(len, report.scatter)) - SCATTERED) <= 60 * report.k
    assert all(report.scatter)


def test_one_component_makes_no_scatter() -> None:
    _, report = reported(a_shop(), FitSettings(components=1))
    assert report.scatter == ()
