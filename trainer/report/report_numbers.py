"""The content of ``report.json``: all numbers and texts of the report."""

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import UNSET, Struct, UnsetType

from schemas.release.model_release import ModelRelease
from trainer.controls.affinity import Affinity
from trainer.controls.compare_encodings import Comparison
from trainer.controls.drift import Drift
from trainer.controls.evaluate import Labels, Search
from trainer.controls.followup import Followup
from trainer.controls.loadings import Loading, loadings
from trainer.controls.named_k import KBy, disagreement
from trainer.controls.traits import ProfileRow, Trait, Traits
from trainer.controls.worth_so_far import Worth
from trainer.fit import Fit
from trainer.release.impact import Impact
from trainer.report.advice import Advice, advice_of
from trainer.report.quartiles import Quartiles, quartiles
from trainer.report.sampled_rows import sampled_rows
from trainer.steps.fit_settings import FitSettings

# The default features of the article's tables of most frequent values.
COLUMNS = (
    "age",
    "gender",
    "total_orders",
    "traffic_source",
    "most_frequent_brand",
    "most_frequent_category",
)
TOP = 3
SCATTERED = 500


class Share(Struct, frozen=True):
    """A value and the percentage of the segment's users who have it, to two decimals."""

    value: int | float | str
    ratio: float


class SegmentReport(Struct, frozen=True):
    """A segment.

    Attributes:
        cluster_ratio: its percentage of the training users, to two decimals.
        centre: shape (components,).
        top: the most frequent values of the features in ``COLUMNS`` and of all texts.
        numbers: the middle values of each number among the model's inputs.
        traits: its differences from all users, the strongest first; see
            :class:`trainer.controls.traits.Traits`.
        advice: what to try.
    """

    id: int
    name: str
    size: int
    cluster_ratio: float
    centre: tuple[float, ...]
    top: dict[str, tuple[Share, ...]]
    numbers: dict[str, Quartiles]
    traits: tuple[Trait, ...]
    advice: Advice


class Users(Struct, frozen=True):
    """Numbers of users; the dicts have a number for each feature.

    Attributes:
        read: users in the warehouse.
        used: users in the training.
        without_orders: users without a counted order.
        missing: users with an order who lack this feature of the model. A user who lacks two is counted
            twice.
        nulls: users without a value of this feature of the model, among all users read.
        unseen: users left out because the continued release's space does not know their value of this
            feature.
    """

    read: int
    used: int
    without_orders: int
    missing: dict[str, int]
    nulls: dict[str, int]
    unseen: dict[str, int]


class Rejected(Struct, frozen=True):
    """Rows of a table that were left out for one reason."""

    table: str
    reason: str
    rows: int


class Shop(Struct, frozen=True):
    """What the report says of the shop; an empty text says nothing.

    Attributes:
        name: stands in the title.
        currency: an ISO code or a short sign, beside money.
    """

    name: str = ""
    currency: str = ""


class Report(Struct, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """The whole report; docs/report.md explains each part.

    Attributes:
        day: the date of the features of time; only there if the model has some.
        start: only users with an order at or after this time train (``from`` in JSON); None: no bound.
        end: only users with an order before this time train (``to`` in JSON); None: no bound.
        k_by: what chose k: ``preset``, ``setting`` (the option ``--k``), ``elbow`` or ``release`` (in use).
        k_unclear: a warning if the figures suggest different numbers of segments, or another number than k;
            the same words as on the terminal. None: they all suggest k.
        columns: the number of columns of the encoded features.
        explained_variance: the share of the variance of each component, 0 to 1.
        loadings: the parts of the features in each component.
        comparisons: the number of traits that were tested.
        z_threshold: a trait is clear from this absolute z score on.
        profile: the strongest traits over all segments; their effects are in the order of ``segments``.
        numbers: the middle values of each number among the model's inputs, over all training users.
        groups: the borders of each number that the model reads as its group; only there if it reads one so.
        worth: what the training users ordered until now, segments in the order of ``segments``; None if the
            warehouse has no orders.
        affinity: None if there are too few users.
        followup: None if too few users had all features at the start of the follow-up.
        impact: None if no release is in use.
        drift: None if no release is in use, or its training users are not available.
        scatter: the first two components of about SCATTERED training users, to three decimals; shape
            (segments, users of the sample, 2), segments in the order of ``segments``. Empty if there is one
            component.
    """

    version: str
    space: str
    shop: Shop
    as_of: str | None
    day: date | UnsetType = UNSET
    start: str | None
    end: str | None
    settings: FitSettings
    k: int
    k_by: KBy
    k_unclear: str | None
    users: Users
    rejected: tuple[Rejected, ...]
    columns: int
    explained_variance: tuple[float, ...]
    loadings: tuple[tuple[Loading, ...], ...]
    search: Search
    metrics: dict[str, float]
    comparison: Comparison
    segments: tuple[SegmentReport, ...]
    comparisons: int
    z_threshold: float
    profile: tuple[ProfileRow, ...]
    numbers: dict[str, Quartiles]
    groups: dict[str, tuple[float, ...]] | UnsetType = UNSET
    worth: Worth | None
    affinity: Affinity | None
    followup: Followup | None
    impact: Impact | None
    drift: Drift | None
    scatter: tuple[tuple[tuple[float, ...], ...], ...]

    def json(self) -> bytes:
        """The content of ``report.json``."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def report_of(
    fit: Fit,
    release: ModelRelease,
    rejected: Mapping[tuple[str, str], int],
    traits: Traits,
    *,
    shop: Shop | None = None,
    worth: Worth | None = None,
    affinity: Affinity | None = None,
    followup: Followup | None = None,
    impact: Impact | None = None,
    drift: Drift | None = None,
) -> Report:
    """Collect the report's numbers.

    Args:
        fit: the fitted segmentation.
        release: the release made from ``fit``.
        rejected: the number of rows left out, by (table, reason).
        traits: the differences of the segments from all users.
        shop: what the report says of the shop; None: nothing.
        worth: what the users of each cluster ordered until now.
        affinity: how often similar users have the same values.
        followup: the later orders of each segment's users.
        impact: the users that publishing would move, compared with the release in use.
        drift: how the features changed since the release in use was trained.

    Returns:
        The report; its segments are in the order of ``release.segments``.
    """
    selection = fit.selection
    rows, clusters = selection.rows, len(release.segments)
    numbers = {
        feature.name: quartiles(rows[feature.name], fit.labels, clusters)
        for feature in fit.settings.features
        if feature.numeric
    }
    return Report(
        version=release.version,
        space=release.space,
        shop=shop or Shop(),
        as_of=release.training.as_of,
        day=release.training.day,
        start=release.training.start,
        end=release.training.end,
        settings=fit.settings,
        k=len(release.segments),
        k_by=fit.k_by,
        k_unclear=disagreement(fit.search, len(release.segments), fit.k_by),
        users=Users(
            selection.users_read,
            selection.users_used,
            selection.without_orders,
            selection.missing,
            selection.nulls,
            selection.unseen,
        ),
        rejected=tuple(Rejected(*reason, rows) for reason, rows in sorted(rejected.items())),
        columns=len(release.mean),
        explained_variance=tuple(fit.pipeline.named_steps["project"].explained_variance_ratio_.tolist()),
        loadings=loadings(release),
        search=fit.search,
        metrics=release.metrics,
        comparison=fit.comparison,
        segments=tuple(
            SegmentReport(
                segment.id,
                segment.name,
                segment.size,
                round(100 * segment.size / rows.num_rows, 2),
                segment.centre,
                top,
                {name: inside[cluster] for name, (_, inside) in numbers.items()},
                traits.segments[cluster],
                advice_of(
                    cluster,
                    segment.id,
                    [each.size for each in release.segments],
                    traits.segments[cluster],
                    fit.settings.features,
                    worth,
                    followup,
                ),
            )
            for cluster, (segment, top) in enumerate(
                zip(release.segments, _tables(fit, clusters), strict=True)
            )
        ),
        comparisons=traits.comparisons,
        z_threshold=traits.threshold,
        profile=traits.profile,
        numbers={name: everybody for name, (everybody, _) in numbers.items()},
        groups={each.name: each.cuts for each in release.features if each.encoding == "quantile"} or UNSET,
        worth=worth,
        affinity=affinity,
        followup=followup,
        impact=impact,
        drift=drift,
        scatter=_scatter(fit, clusters),
    )


def _scatter(fit: Fit, clusters: int) -> tuple[tuple[tuple[float, ...], ...], ...]:
    if fit.components.shape[1] == 1:
        return ()
    drawn = sampled_rows(fit.labels, SCATTERED)
    points = fit.components[drawn, :2].round(3)
    return tuple(tuple(map(tuple, points[fit.labels[drawn] == each].tolist())) for each in range(clusters))


def _tables(fit: Fit, clusters: int) -> list[dict[str, tuple[Share, ...]]]:
    """The most frequent values of each cluster: of the article's columns, and of all other texts."""
    rows, features = fit.selection.rows, fit.settings.features
    others = [each.name for each in features if each.name not in COLUMNS and not each.numeric]
    columns = [*(name for name in COLUMNS if name in fit.settings.names), *others]
    tops = {name: _tops(rows[name], fit.labels, clusters) for name in columns}
    return [{name: top[cluster] for name, top in tops.items()} for cluster in range(clusters)]


def _tops(column: pa.ChunkedArray, labels: Labels, k: int) -> list[tuple[Share, ...]]:
    """The most frequent values of each cluster; of equally frequent values the smaller comes first."""
    encoded = column.combine_chunks().dictionary_encode()
    values = encoded.dictionary.to_pylist()
    cells = labels * np.int64(len(values)) + encoded.indices.to_numpy()
    counts = np.bincount(cells, minlength=k * len(values)).reshape(k, len(values))
    order = sorted(range(len(values)), key=values.__getitem__)
    return [_top([values[place] for place in order], row[order]) for row in counts]


def _top(values: Sequence[float | str], counts: npt.NDArray[np.int64]) -> tuple[Share, ...]:
    total = int(counts.sum())
    commonest = [place for place in np.argsort(-counts, kind="stable")[:TOP] if counts[place]]
    return tuple(
        Share(_plain(values[place]), round(100 * int(counts[place]) / total, 2)) for place in commonest
    )


def _plain(value: float | str) -> int | float | str:
    return int(value) if isinstance(value, float) and value.is_integer() else value
