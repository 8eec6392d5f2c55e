"""Score rows of features by a release's own scikit-learn pipeline, without the product's scorer."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pandas as pd


@dataclass(frozen=True, slots=True)
class Scored:
    """A pipeline's result for one row.

    Attributes:
        distances: the distance to each segment's centre, by segment.
    """

    segment: int
    provisional: bool
    components: tuple[float, ...]
    distances: Mapping[int, float]

    def segment_from(self, present: int | None, min_margin: float) -> int:
        """Return the segment of a user who is in ``present``: another centre must be nearer by the margin.

        >>> near = Scored(0, False, (), {0: 0.9, 1: 1.0})
        >>> near.segment_from(None, 0.2), near.segment_from(1, 0.2)
        (0, 1)
        >>> near.segment_from(1, 0.05), near.segment_from(7, 0.2)
        (0, 0)
        """
        if present is None or present not in self.distances:
            return self.segment
        own, nearest = self.distances[present], self.distances[self.segment]
        return present if own - nearest < min_margin * own else self.segment


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A fitted pipeline. ``known``: each feature's trained values, empty for numbers; ``ids``: segments."""

    version: str
    fitted: Any
    known: dict[str, set[str]]
    ids: list[int]

    def score(self, frame: pd.DataFrame) -> Iterator[Scored]:
        """Score each row of a frame; its columns are the features."""
        components = self.fitted[:-1].transform(frame)
        clusters = self.fitted[-1]
        segments, far = clusters.predict(components), clusters.transform(components)
        rows = zip(frame.itertuples(index=False), segments, components, far, strict=True)
        for row, segment, at, of_row in rows:
            distances = dict(zip(self.ids, of_row.tolist(), strict=True))
            yield Scored(self.ids[segment], self._provisional(row), tuple(at), distances)

    def _provisional(self, row: Any) -> bool:
        return any(
            pd.isna(value) or (bool(known) and value not in known)
            for value, known in zip(row, self.known.values(), strict=True)
        )


def pipeline_of(release: Path) -> Pipeline:
    """Load the pipeline from a release's folder."""
    model = json.loads((release / "model.json").read_bytes())
    return Pipeline(
        model["version"],
        joblib.load(release / "pipeline.joblib"),
        {feature["name"]: set(feature["categories"]) for feature in model["features"]},
        [segment["id"] for segment in model["segments"]],
    )
