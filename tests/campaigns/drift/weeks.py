"""The users of a shop week by week, compared with the users of an earlier week as a worker does it.

The feature query stands in for the workers' states: both give the same features (docs/guarantees.md).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from schemas.release.model_release import FeatureProfile
from schemas.release.stability_index import SAMPLE
from streamer.drift.compare_users import bin_of, index_of
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_rows import complete
from trainer.warehouse import Warehouse

LAST = datetime(2024, 12, 30, tzinfo=UTC)
"""The last Monday with a week of data."""

User = dict[str, object]


@dataclass(frozen=True, slots=True)
class Look:
    """One comparison: the weeks since the training, and each feature's index and threshold."""

    weeks: int
    indices: dict[str, tuple[float, float]]

    @property
    def drifted(self) -> list[str]:
        """The features above their threshold."""
        return [name for name, (index, threshold) in self.indices.items() if index > threshold]


def weekly(warehouse: Warehouse, settings: FitSettings, weeks: int) -> list[pa.Table]:
    """Return the users that could train, at the begin of each of the last weeks and at the end."""
    starts = [LAST - timedelta(weeks=weeks - number) for number in range(weeks + 1)]
    features = settings.features
    return [complete(warehouse.features(at, (), features), features) for at in starts]


def look(profiles: Sequence[FeatureProfile], now: pa.Table, weeks: int, drawn: random.Random) -> Look:
    """Compare a random sample of users with a profile, as a worker does."""
    chosen = drawn.sample(range(now.num_rows), min(SAMPLE, now.num_rows))
    columns = {profile.name: now[profile.name].take(pa.array(chosen)).to_pylist() for profile in profiles}
    indices = {}
    for profile in profiles:
        counts = [0] * len(profile.counts)
        for value in columns[profile.name]:
            counts[bin_of(profile, value)] += 1
        indices[profile.name] = index_of(profile, counts)
    return Look(weeks, indices)


def older(now: pa.Table, before: pa.Table, years: int) -> pa.Table:
    """Return the users with ages raised by some years, but only those who were not there before."""
    known = set(before["user_id"].to_pylist())
    ages = [
        age if user_id in known else age + years
        for user_id, age in zip(now["user_id"].to_pylist(), now["age"].to_pylist(), strict=True)
    ]
    return now.set_column(now.column_names.index("age"), "age", pa.array(ages))


def everybody_older(now: pa.Table, years: int) -> pa.Table:
    """Return the users with all ages raised by some years."""
    ages = [age + years for age in now["age"].to_pylist()]
    return now.set_column(now.column_names.index("age"), "age", pa.array(ages))


def pairs(count: int, gap: int) -> Iterator[tuple[int, int]]:
    """Yield the numbers of two weeks with so many weeks between them."""
    for number in range(count - gap):
        yield number, number + gap
