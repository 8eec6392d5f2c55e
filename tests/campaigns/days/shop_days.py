"""A warehouse's past as days: a release of the first day, the events of each day, and the right segments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from schemas.days import date_in
from schemas.features import RFM, Feature, declared
from schemas.input_events import Order, Signup
from schemas.release.model_release import ModelRelease
from trainer.fit import fit
from trainer.release.pipeline_numbers import release_of
from trainer.steps.batch_scorer import score
from trainer.steps.presets import PRESETS
from trainer.steps.training_rows import select
from trainer.warehouse import Warehouse

Fact = Signup | Order

FEATURE_SETS: dict[str, tuple[Feature, ...]] = {
    "windows": (
        Feature("recency", "days_since", "last_order", log=True),
        Feature("customer_for", "days_since", "signup"),
        Feature("orders", "count", "order_id", log=True),
        Feature("recent_spend", "sum", "order_value", window=90),
    ),
    "rfm": RFM,
}
"""Features by the name of a run. Some read a window of 90 days, and those of the preset read none."""

_SEGMENTS = 5
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a recomputation of one user gives."""

    segment: int
    provisional: bool


class ShopDays:
    """A shop's days from ``first`` on, with a release that was fitted to the facts before it.

    Args:
        warehouse: an open warehouse.
        features: the model's features.
        first: the first day.
        one_of: only users whose number is divisible by this one live; 1: all. The release learns from all.
    """

    def __init__(
        self, warehouse: Warehouse, features: tuple[Feature, ...], first: date, one_of: int = 1
    ) -> None:
        self.features = features
        self.first = first
        self._warehouse = warehouse
        self._one_of = one_of
        self.release = _release(warehouse, features, first)
        self._by_day: dict[date, list[Fact]] = defaultdict(list)
        for fact in warehouse.events():
            if self._lives(fact.user_id):
                self._by_day[date_in(fact.created_at, UTC)].append(fact)

    def before(self) -> list[Fact]:
        """Return the facts before the first day."""
        return [fact for day, facts in sorted(self._by_day.items()) if day < self.first for fact in facts]

    def of(self, day: date) -> list[Fact]:
        """Return the facts of a day."""
        return self._by_day.get(day, [])

    def right_at_end_of(self, day: date) -> dict[str, Decision]:
        """Return every user's decision at the end of a day: SQL over the warehouse, scored as in training."""
        table = self._warehouse.features(midnight(day + ONE_DAY), features=self.features, day=day)
        columns = (table[feature.name].is_null().to_pylist() for feature in self.features)
        provisional = map(any, zip(*columns, strict=True))
        decisions = map(Decision, score(self.release, table).segments.tolist(), provisional)
        users = zip(table["user_id"].to_pylist(), decisions, strict=True)
        return {user_id: decision for user_id, decision in users if self._lives(user_id)}

    def _lives(self, user_id: str) -> bool:
        return self._one_of == 1 or sum(user_id.encode()) % self._one_of == 0


def midnight(day: date) -> datetime:
    """Return the beginning of a day in UTC."""
    return datetime.combine(day, time(), UTC)


def differences(right: dict[str, Decision], found: dict[str, Decision]) -> list[str]:
    """Return a sentence for each user whose decision is not the right one."""
    users: Collection[str] = sorted(right.keys() | found.keys())
    return [
        f"user {user_id} has {found.get(user_id)}, but a recomputation gives {right.get(user_id)}"
        for user_id in users
        if right.get(user_id) != found.get(user_id)
    ]


def _release(warehouse: Warehouse, features: Iterable[Feature], first: date) -> ModelRelease:
    """Fit a release to the facts before a day, without a report."""
    table = warehouse.features(midnight(first), features=declared(tuple(features)), day=first - ONE_DAY)
    settings = replace(PRESETS["rfm"], preset="article", features=tuple(features), k=_SEGMENTS)
    made = fit(select(table, settings), settings)
    return release_of(made, [f"segment {number}" for number in range(_SEGMENTS)])
