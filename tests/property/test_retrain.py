"""Months of thelook, each retrain continuing the one before; `make retrain` runs more of them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.campaigns.retrain.months import Month, retrained, starts, thelook
from trainer.release.current_release import current_from
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_window import Window
from trainer.train import train

SETTINGS = FitSettings(k_min=5, k_max=5)  # the elbow is another test's

# A year of thelook, trained month by month.
pytestmark = pytest.mark.wide


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> list[Month]:
    return list(retrained(3, SETTINGS, tmp_path_factory.mktemp("releases")))


def segments_of(folder: Path) -> dict[str, int]:
    table = pq.read_table(folder / "assignments.parquet")
    return dict(zip(table["user_id"].to_pylist(), table["segment"].to_pylist(), strict=True))


def test_the_months() -> None:
    assert [f"{at:%Y-%m-%d}" for at in starts(3)] == ["2024-11-01", "2024-12-01", "2025-01-01"]


def test_the_model_moves_few_users_a_month_and_says_which(months: list[Month]) -> None:
    for before, month in pairwise(months):
        assert month.impact is not None
        assert month.impact.current == before.release.version == month.release.continues
        moves = month.impact.by_model
        assert moves is not None
        assert moves.users == month.release.training.users_used > before.release.training.users_used
        assert 0 < moves.share <= 0.05
        assert all(pair.previous != pair.segment for pair in moves.pairs)


def test_space_ids_and_names_stay(months: list[Month]) -> None:
    first = months[0].release
    for month in months[1:]:
        assert month.release.space == first.space
        assert [(s.id, s.name) for s in month.release.segments] == [(s.id, s.name) for s in first.segments]
        assert month.release.next_segment == 5


def test_most_users_of_a_month_have_the_segment_that_they_had(months: list[Month]) -> None:
    """Told without the impact: by the assignments alone, behaviour included."""
    for before, month in pairwise(months):
        then, now = segments_of(before.folder), segments_of(month.folder)
        both = then.keys() & now.keys()
        assert len(both) > 0.99 * len(then)
        assert sum(then[user_id] != now[user_id] for user_id in both) < 0.1 * len(both)


def test_the_same_month_again_moves_nobody(months: list[Month], tmp_path: Path) -> None:
    last = months[-1]
    with thelook() as warehouse:
        again = train(
            warehouse, SETTINGS, tmp_path, current=current_from(last.folder), window=Window(last.at)
        )
    assert again.name == last.folder.name
    assert segments_of(again) == segments_of(last.folder)
