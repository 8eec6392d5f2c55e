from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from schemas.features import FEATURES, Feature
from tests.support.worlds.trained_shops import a_trained_folder, features_table
from trainer.controls.followup import LEAST_USERS
from trainer.controls.outlook import look_ahead, look_back
from trainer.release.release_folder import load_release
from trainer.steps.fit_settings import FitSettings

LAST = datetime(2024, 6, 30, 12, tzinfo=UTC)


class Facts:
    """Sixty users as of T; the first two bought something afterwards, and somebody else did."""

    def __init__(self, users: int = 60, last_at: datetime | None = LAST, cents: float | None = 500.0) -> None:
        self.users, self.last_at, self.cents = users, last_at, cents
        self.asked: list[Any] = []

    def counts(self, as_of: datetime | None) -> Any:
        return SimpleNamespace(last_at=self.last_at)

    def features(
        self, as_of: datetime | None, exclude_statuses: tuple[str, ...], features: tuple[Feature, ...]
    ) -> pa.Table:
        self.asked.append(as_of)
        # One without an order, who is in no segment.
        rows: list[dict[str, object]] = [{"age": float(20 + place)} for place in range(self.users)]
        return features_table([*rows, {"total_orders": None}])

    def followup(self, since: datetime, until: datetime, exclude_statuses: tuple[str, ...]) -> pa.Table:
        self.asked.append((since, until))
        return pa.table(
            {
                "user_id": ["u000000", "u000001", "u999999"],
                "orders": pa.array([2, 1, 7], pa.int64()),
                "cents": pa.array([self.cents, None, None], pa.float64()),
            }
        )


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = a_trained_folder(tmp_path_factory.mktemp("releases"))
    return load_release(folder)


def test_the_last_90_days(release: Any) -> None:
    facts = Facts()
    told = look_ahead(facts, release, FitSettings(), None, FEATURES)
    assert told is not None
    until = LAST + timedelta(microseconds=1)
    assert facts.asked == [until - timedelta(days=90), (until - timedelta(days=90), until)]
    assert told.users == 60
    assert sum(each.orders * each.users for each in told.segments) == pytest.approx(3)
    assert sum(each.repeat_rate * each.users for each in told.segments) == pytest.approx(2)
    assert sum((each.spend or 0) * each.users for each in told.segments) == pytest.approx(5)
    assert {each.segment for each in told.segments} <= {segment.id for segment in release.segments}


def test_without_prices(release: Any) -> None:
    told = look_ahead(Facts(cents=None), release, FitSettings(), None, FEATURES)
    assert told is not None
    assert [outcome.outcome for outcome in told.outcomes] == ["repeat", "orders"]


def test_too_little_to_tell(release: Any) -> None:
    assert look_ahead(Facts(users=LEAST_USERS - 1), release, FitSettings(), None, FEATURES) is None
    assert look_ahead(Facts(last_at=None), release, FitSettings(), None, FEATURES) is None


def test_what_was_bought_until_now() -> None:
    facts = Facts()
    users = pa.chunked_array([["u000000", "u000001"], ["u000002"]])
    labels = np.array([0, 1, 1], dtype=np.int32)
    told = look_back(facts, users, labels, 2, FitSettings(), None)
    assert told is not None
    # One user without an order has none, and the order of somebody who does not train is left out.
    assert (told.orders, told.spend) == (3, 5)
    assert [each.orders for each in told.segments] == [2, 0.5]
    assert [each.spend_share for each in told.segments] == [1, 0]
    assert facts.asked == [(datetime(1900, 1, 1, tzinfo=UTC), LAST + timedelta(microseconds=1))]
    unpriced = look_back(Facts(cents=None), users, labels, 2, FitSettings(), None)
    assert unpriced is not None
    assert unpriced.spend is None
    nothing = Facts(last_at=None)
    assert look_back(nothing, users, labels, 2, FitSettings(), None) is None
    assert nothing.asked == []
