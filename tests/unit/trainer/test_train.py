from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.days import zone_of
from schemas.errors import BadSetting, BadTraining
from tests.support.worlds.trained_shops import CREATED_AT, QUICK, Shop, a_shop, a_trained_folder
from trainer.release.release_folder import load_release, read_manifest
from trainer.steps.fit_settings import FitSettings
from trainer.steps.presets import PRESETS
from trainer.steps.training_window import Window
from trainer.train import train

ROOT = Path(__file__).parents[3]


def made(out: Path, settings: FitSettings, table: pa.Table | None = None) -> Path:
    return train(Shop(table), settings, out, created_at=CREATED_AT)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize(
    "settings",
    [
        FitSettings(),  # the whole search over k
        replace(QUICK, encoding="frequency"),
        replace(QUICK, encoding="one-hot"),
        replace(PRESETS["recommended"], compare=True, k=3, k_min=3, k_max=3),
    ],
    ids=["label", "frequency", "one-hot", "recommended"],
)
def test_same_data_and_settings_give_the_same_bytes(tmp_path: Path, settings: FitSettings) -> None:
    first = files_of(made(tmp_path / "a", settings))
    # The rows come in another order: a warehouse may give them so.
    shuffled = a_shop().take(np.random.default_rng(1).permutation(300))
    second = files_of(made(tmp_path / "b", settings, shuffled))
    assert first == second


def test_how_the_rows_are_batched_does_not_matter(tmp_path: Path) -> None:
    whole = a_shop().combine_chunks()
    batched = pa.concat_tables([whole.slice(begin, 7) for begin in range(0, whole.num_rows, 7)])
    assert batched["user_id"].num_chunks == 43  # 300 users, 7 a batch
    first = files_of(made(tmp_path / "a", QUICK, whole))
    assert files_of(made(tmp_path / "b", QUICK, batched)) == first


@pytest.mark.parametrize(
    ("settings", "shop"),
    [
        ("QUICK", "a_shop(3_000)"),
        # So many columns use other solvers, in the fit and in the controls, which have the recommended
        # preset.
        pytest.param(
            "replace(QUICK, encoding='one-hot', compare=True)",
            "a_shop_of_kinds(400, brands=50)",
            marks=pytest.mark.long,
        ),
    ],
)
def test_another_process_with_other_threads_and_hashes_gives_the_same_bytes(
    tmp_path: Path, settings: str, shop: str
) -> None:
    runs = []
    for name, threads, seed in (("a", "1", "1"), ("b", "4", "2")):
        code = (
            "from pathlib import Path; from dataclasses import replace;"
            "from tests.support.worlds.trained_shops import *;"
            "from tests.unit.trainer.test_train import made;"
            f"print(made(Path({str(tmp_path / name)!r}), {settings}, {shop}))"
        )
        variables = {
            **os.environ,
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "PYTHONHASHSEED": seed,
        }
        runs.append(
            subprocess.Popen(
                [sys.executable, "-c", code], cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True
            )
        )
    first, second = (files_of(Path(run.communicate()[0].strip())) for run in runs)
    assert [run.returncode for run in runs] == [0, 0]
    assert first == second


def test_only_the_manifest_knows_when(tmp_path: Path) -> None:
    first = files_of(train(Shop(), QUICK, tmp_path / "a", created_at=CREATED_AT))
    later = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)
    second = files_of(train(Shop(), QUICK, tmp_path / "b", created_at=later))
    assert [name for name in first if first[name] != second[name]] == ["manifest.json"]
    manifests = [json.loads(files["manifest.json"]) for files in (first, second)]
    assert [manifest.pop("created_at") for manifest in manifests] == [
        "2024-05-06T00:00:00Z",
        "2031-02-03T04:05:06Z",
    ]
    assert manifests[0] == manifests[1]


def test_assignments_are_the_training_users_with_components_and_segment(tmp_path: Path) -> None:
    folder = a_trained_folder(tmp_path)
    table = pq.read_table(folder / "assignments.parquet")
    assert table.column_names == [
        "user_id",
        *FitSettings().names,
        "component_1",
        "component_2",
        "segment",
    ]
    trained = a_shop().to_pandas().dropna()
    rows = table.to_pandas()
    assert rows["user_id"].tolist() == sorted(trained["user_id"])
    assert len(rows) == load_release(folder).training.users_used
    for segment in load_release(folder).segments:
        members = rows[rows["segment"] == segment.id]
        assert len(members) == segment.size
        np.testing.assert_allclose(members[["component_1", "component_2"]].mean(), segment.centre, atol=1e-3)


def test_the_pipeline_loads_and_predicts_the_assignments(tmp_path: Path) -> None:
    folder = a_trained_folder(tmp_path)
    pipeline = joblib.load(folder / "pipeline.joblib")
    rows = pq.read_table(folder / "assignments.parquet").to_pandas()
    assert pipeline.predict(rows).tolist() == rows["segment"].tolist()


def test_the_query_and_what_it_was_asked(tmp_path: Path) -> None:
    shop = Shop()
    as_of = datetime(2024, 1, 1, tzinfo=UTC)
    folder = train(shop, replace(QUICK, exclude_statuses=("Returned",)), tmp_path, window=Window(as_of))
    assert shop.asked == [(as_of, ("Returned",))]
    assert (folder / "features.sql").read_text() == "select 1"
    assert load_release(folder).training.as_of == "2024-01-01T00:00:00Z"
    assert read_manifest(folder).created_at > "2024-01-01"


def test_the_caller_is_told_what_goes_on(tmp_path: Path) -> None:
    said: list[str] = []
    train(Shop(), FitSettings(), tmp_path, said.append)
    used = Shop().table.drop_null().num_rows
    assert said == [
        "reading features from the warehouse",
        "300 users read; reading which rows are left out",
        f"fitting {used} of 300 users",
        "searching k from 2 to 10",
        "judging 5 segments",
        "reading what users bought until now and later",
        "writing the report and the release",
    ]


@pytest.mark.parametrize("name", ["file/releases", "file", "n" * 300])
def test_where_nothing_can_be_written_is_told_before_the_warehouse_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    shop = Shop()
    with pytest.raises(BadSetting, match=r"setting out is .*: nothing can be written there \("):
        train(shop, FitSettings(), tmp_path / name)
    assert shop.asked == []


def test_a_window_without_users_is_named(tmp_path: Path) -> None:
    warsaw = zone_of("Europe/Warsaw")
    as_of = datetime(2031, 2, 3, 9, 30, tzinfo=UTC)
    window = Window.between(datetime(2030, 1, 1, tzinfo=warsaw), None, as_of, warsaw)
    with pytest.raises(BadTraining) as caught:
        train(Shop(a_shop(0)), FitSettings(), tmp_path, window=window)
    assert str(caught.value) == (
        "no user can be trained on: the warehouse has no user in the window (from 2030-01-01, "
        "as_of 2031-02-03T09:30:00Z), set another window"
    )


def test_a_refusal_tells_which_rows_were_left_out(tmp_path: Path) -> None:
    rejected = {("users", "age is not a number"): 1200, ("orders", "no items"): 3}
    with pytest.raises(BadTraining) as caught:
        train(Shop(a_shop(0), rejected), FitSettings(), tmp_path)
    assert str(caught.value) == (
        "no user can be trained on: the warehouse has no users; rows left out: 1,200 of users (age is not a "
        "number), 3 of orders (no items)"
    )


def test_a_refusal_begins_with_the_cause_and_blames_no_feature(tmp_path: Path) -> None:
    cause = "no user has both a profile and an order"
    with pytest.raises(BadTraining) as caught:
        train(Shop(a_shop(0), {("users", "age is not a number"): 1}, cause), FitSettings(), tmp_path)
    assert str(caught.value) == f"no user can be trained on: {cause}"


def test_a_refusal_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadTraining):
        train(Shop(a_shop(0)), FitSettings(), tmp_path)
    assert list(tmp_path.iterdir()) == []
