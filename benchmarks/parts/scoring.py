"""Measures the scoring of one user: Segue's scorer against scikit-learn's pipeline, and the article's way."""

import itertools
from functools import cache
from typing import Any

import pandas as pd
from sklearn.preprocessing import LabelEncoder

from benchmarks.parts.measure import Comparison, compare, seconds_each
from benchmarks.thelook import fitted
from schemas.features import FEATURE_NAMES, FEATURES


def one_user() -> Comparison:
    """Score one user, as a worker does for each event."""
    of = fitted()
    rows = itertools.cycle(of.rows[:1_000])
    frames = itertools.cycle([pd.DataFrame([row]) for row in of.rows[:100]])
    return compare(
        "score one user",
        ("streamer.segment.scoring.Scorer", lambda: seconds_each(lambda: of.scorer.score(next(rows)), 2_000)),
        (
            "scikit-learn's pipeline.predict",
            lambda: seconds_each(lambda: of.fit.pipeline.predict(next(frames)), 100),
        ),
    )


@cache
def agreement() -> dict[str, float]:
    """The share of training users for whom the prediction equals the label of the fit.

    ``article`` predicts as the article does: it fits the label encoders again to the single row, so every
    category becomes 0. ``segue`` scores each row as a worker does.
    """
    of = fitted()
    steps = of.fit.pipeline.named_steps
    labels = of.fit.labels
    ours = sum(of.scorer.score(row).segment == label for row, label in zip(of.rows, labels, strict=True))
    theirs = pd.DataFrame([_refitted(row) for row in of.rows], columns=list(FEATURE_NAMES)).to_numpy(float)
    predicted = steps["cluster"].predict(steps["project"].transform(steps["scale"].transform(theirs)))
    return {"article": float((predicted == labels).mean()), "segue": ours / len(labels)}


def _refitted(row: dict[str, Any]) -> list[float]:
    return [
        float(row[f.name]) if f.numeric else float(LabelEncoder().fit_transform([row[f.name]])[0])
        for f in FEATURES
    ]
