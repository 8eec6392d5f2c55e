from __future__ import annotations

import math
import subprocess
from dataclasses import astuple
from pathlib import Path

import pytest

from benchmarks.article import query
from benchmarks.shop import make_shop
from benchmarks.training import Run, growth, run
from trainer.warehouse import open_warehouse


def test_growth_is_the_exponent_of_a_power_law() -> None:
    users = (10, 100, 1_000)
    runs = [Run(seconds=3 * count**1.5, cpu_seconds=count / 9, peak_mb=7.0) for count in users]
    assert astuple(growth(users, runs)) == pytest.approx((1.5, 1.0, 0.0))


def test_one_size_has_no_growth() -> None:
    assert math.isnan(growth((10,), [Run(1.0, 1.0, 1.0)]).seconds)


def test_the_articles_query_takes_the_users_that_ours_takes(tmp_path: Path) -> None:
    shop = make_shop(200, tmp_path)
    theirs = query(shop).astype({"USER_ID": str}).set_index("USER_ID").sort_index()
    with open_warehouse(shop) as warehouse:
        ours = warehouse.features().to_pandas().dropna(subset="total_orders").set_index("user_id")
    assert theirs.index.to_list() == ours.index.to_list()
    assert theirs["AGE"].to_list() == ours["age"].to_list()
    # It counts an order's items, which is the number of orders only where each has one item.
    assert (theirs["TOTAL_ORDERS"] >= ours["total_orders"]).all()


def test_a_run_is_timed_and_weighed(tmp_path: Path) -> None:
    made = run("benchmarks.shop", "50", str(tmp_path))
    assert made.seconds > 0.05
    assert 0.05 < made.cpu_seconds < 60
    assert made.peak_mb > 50  # DuckDB, numpy and pyarrow


def test_a_run_that_fails_is_no_figure() -> None:
    with pytest.raises(subprocess.CalledProcessError, match="returned non-zero exit status 2"):
        run("segue", "train", "--nonsense")
