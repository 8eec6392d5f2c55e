"""The page of features: its examples train, and it names every kind with its sources."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

from schemas import times
from schemas.features import FeatureKind, known_sources
from segue.config.load_settings import load_settings
from trainer.fit import fit
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_rows import select
from trainer.warehouse import Warehouse, open_warehouse

PAGE = (Path(__file__).parents[2] / "docs" / "features.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^### (\w+)\n.*?^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
EARLY = times.parse("2022-07-01T00:00:00Z")


@pytest.fixture(scope="module")
def thelook() -> Warehouse:
    return open_warehouse(Path(str(files("segue"))) / "data" / "thelook")


@pytest.mark.parametrize("kind", ["Demographic", "Geographic", "Psychographic", "Behavioural"])
def test_each_example_trains(kind: str, thelook: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "segue.toml"
    path.write_text(EXAMPLES[kind], encoding="utf-8")
    settings = load_settings(path)
    chosen = FitSettings(k=3, k_max=4, features=settings.model_features)
    rows = select(thelook.features(EARLY, (), settings.declared), chosen)
    fitted = fit(rows, chosen)
    assert set(fitted.labels.tolist()) == {0, 1, 2}
    assert fitted.selection.rows.column_names == ["user_id", *settings.features]
    assert fitted.selection.users_used > 100


def test_every_kind_stands_there_with_its_sources() -> None:
    table = dict(
        re.findall(r"^\| (`[^|]*) \| [^|]* \| ([^|]*) \|$", PAGE.partition("## Kinds")[2], re.MULTILINE)
    )
    told = {
        kind: tuple(re.findall(r"`(\w+)`", sources))
        for kinds, sources in table.items()
        for kind in re.findall(r"`(\w+)`", kinds)
    }
    but = told.pop("last")  # "all of these but those of"
    assert but == ("count", "days_since")
    everything = {source for sources in told.values() for source in sources}
    assert set(known_sources("last")) == everything - {source for kind in but for source in told[kind]}
    assert told == {kind: known_sources(kind) for kind in get_args(FeatureKind) if kind != "last"}
