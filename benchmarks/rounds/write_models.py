"""Writes the fitted model for the programs: Segue's release, and the fitted steps for the article."""

from __future__ import annotations

import pickle
from pathlib import Path

from benchmarks.thelook import Fitted, release
from benchmarks.ways.article_each import ARTICLE
from schemas.features import FEATURE_NAMES
from schemas.outputs.wire import encode_release

RELEASE = "model.json"


def write_models(of: Fitted, folder: Path) -> None:
    """Write both files into the folder."""
    (folder / RELEASE).write_bytes(encode_release(release(of)))
    steps = {name: of.fit.pipeline.named_steps[name] for name in ("scale", "project", "cluster")}
    users = of.fit.selection.rows["user_id"].to_pylist()
    content = (steps, list(FEATURE_NAMES), of.fit.components, users, of.fit.labels)
    (folder / ARTICLE).write_bytes(pickle.dumps(content))
