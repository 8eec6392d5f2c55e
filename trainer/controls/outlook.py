"""Reads orders from the warehouse: later orders for :mod:`trainer.controls.followup`, and orders until now
for :mod:`trainer.controls.worth_so_far`.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from schemas.features import Feature
from schemas.release.model_release import ModelRelease
from trainer.controls.followup import DAYS, LEAST_USERS, Followup, followup_of
from trainer.controls.worth_so_far import Amounts, Worth, worth_of
from trainer.steps.batch_scorer import score
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_rows import complete

_BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)  # an older order is a mistake


class Counted(Protocol):
    """The time of the last fact."""

    @property
    def last_at(self) -> datetime | None: ...


class Facts(Protocol):
    """The queries that the follow-up needs from a warehouse."""

    def features(
        self, as_of: datetime | None, exclude_statuses: tuple[str, ...], features: tuple[Feature, ...]
    ) -> pa.Table: ...

    def counts(self, as_of: datetime | None) -> Counted: ...

    def followup(self, since: datetime, until: datetime, exclude_statuses: tuple[str, ...]) -> pa.Table: ...


def look_ahead(
    warehouse: Facts,
    release: ModelRelease,
    settings: FitSettings,
    as_of: datetime | None,
    made: tuple[Feature, ...],
) -> Followup | None:
    """The orders of each segment's users in the last DAYS days before the last fact.

    The days end with the last fact before ``as_of``, or with the last fact of all.

    Args:
        warehouse: where the facts are.
        release: the release that gives the segments.
        settings: the settings of its fit.
        as_of: only facts before this time were trained on; None: all facts.
        made: the features that the query makes; ``total_orders`` is one of them.

    Returns:
        The follow-up, segments by id; None if fewer than LEAST_USERS users had all features before these
        days.

    Raises:
        BadWarehouse: the warehouse cannot be read.
    """
    last_at = warehouse.counts(as_of).last_at
    if last_at is None or last_at.year < 2:
        return None
    until = last_at + timedelta(microseconds=1)
    since = until - timedelta(days=DAYS)
    users = complete(warehouse.features(since, settings.exclude_statuses, made), settings.features)
    if users.num_rows < LEAST_USERS:
        return None
    orders, spend = _bought(warehouse, users["user_id"], since, until, settings)
    with threadpool_limits(limits=1):
        segments = score(release, users).segments
    return followup_of(since, until, segments, orders, spend)


def look_back(
    warehouse: Facts,
    users: pa.ChunkedArray,
    labels: npt.NDArray[np.int32],
    clusters: int,
    settings: FitSettings,
    as_of: datetime | None,
) -> Worth | None:
    """The orders of the training users until now.

    Args:
        warehouse: where the facts are.
        users: the ids of the training users.
        labels: the cluster of each of them, shape (users,).
        clusters: the number of clusters.
        settings: the settings of the fit.
        as_of: only orders before this time count; None: all orders.

    Returns:
        The orders by cluster; None if there are no facts.

    Raises:
        BadWarehouse: the warehouse cannot be read.
    """
    last_at = warehouse.counts(as_of).last_at
    if last_at is None or last_at < _BEGINNING:
        return None
    orders, spend = _bought(warehouse, users, _BEGINNING, last_at + timedelta(microseconds=1), settings)
    return worth_of(labels, orders, spend, clusters)


def _bought(
    warehouse: Facts, users: pa.ChunkedArray, since: datetime, until: datetime, settings: FitSettings
) -> tuple[Amounts, Amounts | None]:
    """Each user's orders and their price (None without prices) in a time; shapes (users,)."""
    bought = warehouse.followup(since, until, settings.exclude_statuses)
    place = pc.index_in(users, value_set=bought["user_id"].combine_chunks())
    orders, cents = (
        pc.fill_null(pc.take(bought[name], place), 0).to_numpy().astype(np.float64)
        for name in ("orders", "cents")
    )
    priced = bought["cents"].null_count < bought.num_rows
    return orders, cents / 100 if priced else None
