"""A release's own scikit-learn pipeline: what it makes of rows of features, without the product's scorer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pandas as pd


@dataclass(frozen=True, slots=True)
class Scored:
    """What a pipeline makes of one row."""

    segment: int
    provisional: bool
    components: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """``known`` are by feature the values that training has seen, none for numbers; ``ids`` the segments' ids."""

    version: str
    fitted: Any
    known: dict[str, set[str]]
    ids: list[int]

    def score(self, frame: pd.DataFrame) -> Iterator[Scored]:
        """Each row of a frame whose columns are the features."""
        components = self.fitted[:-1].transform(frame)
        segments = self.fitted[-1].predict(components)
        for row, segment, at in zip(frame.itertuples(index=False), segments, components, strict=True):
            yield Scored(self.ids[segment], self._provisional(row), tuple(at))

    def _provisional(self, row: Any) -> bool:
        return any(
            pd.isna(value) or (bool(known) and value not in known)
            for value, known in zip(row, self.known.values(), strict=True)
        )


def pipeline_of(release: Path) -> Pipeline:
    """The pipeline in a release's folder."""
    model = json.loads((release / "model.json").read_bytes())
    return Pipeline(
        model["version"],
        joblib.load(release / "pipeline.joblib"),
        {feature["name"]: set(feature["categories"]) for feature in model["features"]},
        [segment["id"] for segment in model["segments"]],
    )
