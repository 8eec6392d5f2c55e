"""What the report says, as numbers and text: the content of ``report.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pandas as pd
from msgspec import Struct

from schemas.release import ModelRelease
from trainer.drift import Drift
from trainer.fit import Fit
from trainer.impact import Impact
from trainer.settings import FitSettings

# The article's ``columns_to_report``.
COLUMNS = (
    "age",
    "gender",
    "total_orders",
    "traffic_source",
    "most_frequent_brand",
    "most_frequent_category",
)
TOP = 3


class Share(Struct, frozen=True):
    """A value and the percentage of the segment's users who have it, to two decimals."""

    value: int | float | str
    ratio: float


class SegmentReport(Struct, frozen=True):
    """A segment; ``cluster_ratio`` is its percentage of the training users, ``top`` its commonest values."""

    id: int
    name: str
    size: int
    cluster_ratio: float
    centre: tuple[float, ...]
    top: dict[str, tuple[Share, ...]]


class Users(Struct, frozen=True):
    """Who was read and who was trained on.

    ``missing`` counts, among users with an order, those who lack a feature of the model; one who lacks
    two is counted twice. ``nulls`` counts, among all users, those who lack a declared feature.
    """

    read: int
    used: int
    without_orders: int
    missing: dict[str, int]
    nulls: dict[str, int]


class Rejected(Struct, frozen=True):
    """Rows of a table that were left out for one reason."""

    table: str
    reason: str
    rows: int


class ElbowCurve(Struct, frozen=True):
    """The SSE for each k; ``elbow`` is kneed's, None where it finds none."""

    ks: tuple[int, ...]
    sse: tuple[float, ...]
    elbow: int | None


class Report(Struct, frozen=True, kw_only=True):
    """The whole report. ``explained_variance`` has one share, 0 to 1, for each component."""

    version: str
    space: str
    as_of: str | None
    settings: FitSettings
    k: int
    users: Users
    rejected: tuple[Rejected, ...]
    columns: int
    explained_variance: tuple[float, ...]
    curve: ElbowCurve
    metrics: dict[str, float]
    segments: tuple[SegmentReport, ...]
    impact: Impact | None
    drift: Drift | None

    def json(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def report_of(
    fit: Fit,
    release: ModelRelease,
    rejected: Mapping[tuple[str, str], int],
    impact: Impact | None = None,
    drift: Drift | None = None,
) -> Report:
    """The report's numbers.

    Args:
        fit: what was fitted.
        release: the same as a release.
        rejected: table and reason to the number of rows that the warehouse left out.
        impact: against the release in use; None for a first one.
        drift: likewise; None, too, where the training users of the one in use are not at hand.
    """
    selection = fit.selection
    return Report(
        version=release.version,
        space=release.space,
        as_of=release.training.as_of,
        settings=fit.settings,
        k=len(release.segments),
        users=Users(
            selection.users_read,
            selection.users_used,
            selection.without_orders,
            selection.missing,
            selection.nulls,
        ),
        rejected=tuple(Rejected(*reason, rows) for reason, rows in sorted(rejected.items())),
        columns=len(release.mean),
        explained_variance=tuple(fit.pipeline.named_steps["project"].explained_variance_ratio_.tolist()),
        curve=ElbowCurve(
            ks=tuple(row.k for row in fit.search.rows),
            sse=tuple(row.sse for row in fit.search.rows),
            elbow=fit.search.elbow,
        ),
        metrics=release.metrics,
        segments=_segments(fit, release),
        impact=impact,
        drift=drift,
    )


def _segments(fit: Fit, release: ModelRelease) -> tuple[SegmentReport, ...]:
    rows = fit.selection.rows.to_pandas()
    columns = [name for name in COLUMNS if name in fit.settings.names]
    found = []
    for cluster, segment in enumerate(release.segments):
        group = rows[fit.labels == cluster]
        found.append(
            SegmentReport(
                segment.id,
                segment.name,
                segment.size,
                round(100 * segment.size / len(rows), 2),
                segment.centre,
                {name: _top(group[name]) for name in columns},
            )
        )
    return tuple(found)


def _top(values: pd.Series[Any]) -> tuple[Share, ...]:
    """The commonest values, the smaller first where two are equally common."""
    counts = values.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    total = int(counts.sum())
    return tuple(
        Share(_plain(value), round(100 * int(count) / total, 2)) for value, count in counts.iloc[:TOP].items()
    )


def _plain(value: Any) -> int | float | str:
    if isinstance(value, str):
        return value
    number = float(value)
    return int(number) if number.is_integer() else number
