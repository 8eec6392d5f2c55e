"""The whole of ``train``: features from the warehouse, fit, evaluation, report, release folder."""

import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trainer.fit import Fit, fit
from trainer.model import release_of
from trainer.names import name_segments
from trainer.release import write_release
from trainer.report import page, report_of
from trainer.rows import select
from trainer.settings import FitSettings

Say = Callable[[str], None]


class Rejections(Protocol):
    """How many rows were left out, by table and reason."""

    @property
    def counts(self) -> Mapping[tuple[str, str], int]: ...


class FeatureSource(Protocol):
    """What training asks of a warehouse; :class:`trainer.warehouse.Warehouse` has it."""

    @property
    def query_text(self) -> str: ...

    def features(self, as_of: datetime | None, exclude_statuses: tuple[str, ...]) -> pa.Table: ...

    def rejected(self, as_of: datetime | None) -> Rejections: ...


def _silent(_: str) -> None: ...


def train(
    warehouse: FeatureSource,
    settings: FitSettings,
    out: Path,
    say: Say = _silent,
    *,
    as_of: datetime | None = None,
    created_at: datetime | None = None,
) -> Path:
    """Train over the warehouse and write a release; gives its folder, ``out`` / version.

    Args:
        warehouse: where the features come from.
        settings: what to fit.
        out: the folder of releases.
        say: told, in a few words, what begins.
        as_of: only facts before it count; None for all.
        created_at: the time in the manifest; now, when None.

    Raises:
        BadTraining: the rows cannot be segmented.
        BadWarehouse: the warehouse cannot be read.
        BadRelease: a damaged release lies where this one would.
        BadSetting: nothing can be written to ``out``.
    """
    say("reading features from the warehouse")
    table = warehouse.features(as_of, settings.exclude_statuses)
    query = warehouse.query_text
    rejected = warehouse.rejected(as_of).counts
    selection = select(table, settings)
    say(f"fitting {selection.users_used:,} of {selection.users_read:,} users")
    fitted = fit(selection, settings)
    names = name_segments(selection.rows.to_pandas(), fitted.labels, settings.names)
    release = release_of(fitted, names, as_of)
    say("writing the report and the release")
    report = report_of(fitted, release, rejected)
    artifacts = {
        "assignments.parquet": _assignments(fitted),
        "features.sql": query.encode(),
        "pipeline.joblib": _pipeline(fitted),
        "report.html": page(report, fitted.components, fitted.labels),
        "report.json": report.json(),
    }
    return write_release(out, release, artifacts, created_at or datetime.now(UTC))


def _assignments(fitted: Fit) -> bytes:
    """The article's ``dataset``: the training rows with their components and segment."""
    table = fitted.selection.rows
    for place, column in enumerate(fitted.components.T, start=1):
        table = table.append_column(f"component_{place}", pa.array(np.ascontiguousarray(column)))
    table = table.append_column("segment", pa.array(fitted.labels, pa.int64()))
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()


def _pipeline(fitted: Fit) -> bytes:
    file = io.BytesIO()
    joblib.dump(fitted.pipeline, file)
    return file.getvalue()
