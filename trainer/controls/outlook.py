"""Asks the warehouse what :mod:`trainer.controls.followup` is made of."""

from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from schemas.features import Feature
from schemas.release.model_release import ModelRelease
from trainer.controls.followup import DAYS, LEAST_USERS, Followup, followup_of
from trainer.steps.batch_scorer import score
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_rows import complete


class Counted(Protocol):
    """Which time the facts are of."""

    @property
    def last_at(self) -> datetime | None: ...


class Facts(Protocol):
    """What is asked of a warehouse."""

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
    """What the segments' users did in the last DAYS days; None where fewer than LEAST_USERS were known before.

    The days end with the last fact before ``as_of``, which may itself lie later; segments are ids.

    Args:
        warehouse: where the facts are.
        release: which segments.
        settings: of its fit.
        as_of: only facts before it were trained on; None for all.
        made: the features that the query makes, ``total_orders`` among them.

    Raises:
        BadWarehouse: the warehouse cannot be read.
    """
    last_at = warehouse.counts(as_of).last_at
    if last_at is None or last_at.year < 2:
        return None
    until = last_at + timedelta(microseconds=1)
    since = until - timedelta(days=DAYS)
    users = complete(warehouse.features(since, settings.exclude_statuses, made), settings.names)
    if users.num_rows < LEAST_USERS:
        return None
    bought = warehouse.followup(since, until, settings.exclude_statuses)
    place = pc.index_in(users["user_id"], value_set=bought["user_id"].combine_chunks())
    orders, cents = (
        pc.fill_null(pc.take(bought[name], place), 0).to_numpy().astype(np.float64)
        for name in ("orders", "cents")
    )
    priced = bought["cents"].null_count < bought.num_rows
    with threadpool_limits(limits=1):
        segments = score(release, users).segments
    return followup_of(since, until, segments, orders, cents / 100 if priced else None)
