"""The report as a reader sees it, at the width of a telephone and of a screen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from schemas.features import FEATURES, Feature
from tests.browser.accessibility import measuring_script
from tests.support.servers.headless_chromium import Chromium, Visit
from tests.support.worlds.trained_shops import a_shop, features_table
from trainer.controls.affinity import affinity_of
from trainer.controls.compare_encodings import Comparison, EncodingControl
from trainer.controls.drift import drift_of
from trainer.controls.followup import followup_of
from trainer.controls.traits import traits_of
from trainer.controls.worth_so_far import worth_of
from trainer.fit import fit
from trainer.names.segment_names import name_segments
from trainer.release.impact import Impact, Metric, moves
from trainer.release.pipeline_numbers import release_of
from trainer.report import Shop, page, report_of
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_rows import select

WIDTHS = (360, 420, 1280)
T = datetime(2024, 10, 1, tzinfo=UTC)

HOSTILE = (
    "<script>document.title='taken'</script>",
    "<img src=x onerror=alert(1)>",
    "\"' onload='alert(1)",
    "</svg></table></main>",
    "\u202eright to left\u202e",
    "עברית וגם ערבית عربي",
    "長い名前のブランドがここに入りますとても長い",
    "👩‍👩‍👧‍👦🛍️" * 8,
    "W" * 300,
    "a\nb\tc\x00d",
    "&lt;b&gt;",
    "${version}",
)


def made(table: pa.Table, settings: FitSettings) -> bytes:
    """A page with every part, some of it made up."""
    fitted = fit(select(table, settings), settings)
    rows, labels = fitted.selection.rows, fitted.labels
    traits = traits_of(rows, labels, settings.features)
    release = release_of(fitted, name_segments(traits, settings.features))
    rng = np.random.default_rng(1)
    orders = rng.poisson(0.4, len(labels)).astype(np.float64)
    before = labels.astype(np.int64)
    after = np.where(rng.random(len(labels)) < 0.2, rng.permutation(before), before)
    impact = Impact(
        "0123456789ab",
        {segment.id: segment.name for segment in release.segments},
        moves(before, after),
        None,
        (Metric("silhouette", 0.31, 0.35), Metric("sse", None, 123_456.7)),
    )
    report = report_of(
        fitted,
        release,
        {("users", HOSTILE[0]): 3, ("orders", "created_at is missing"): 12_345},
        traits,
        shop=Shop("Shop " + HOSTILE[0], "EUR"),
        worth=worth_of(labels, orders + 1, orders * 123_456.7, settings.k or 0),
        affinity=affinity_of(rows, fitted.components, labels, settings.features),
        followup=followup_of(T, T + timedelta(days=90), before, orders, orders * 31.5),
        impact=impact,
        drift=drift_of("0123456789ab", rows.slice(0, rows.num_rows // 2), rows, settings.names),
    )
    doubtful = EncodingControl("label", 5, (0.4, 0.2), 0.4, 0.3, -0.02, 0.05, "no clear difference")
    good = EncodingControl("recommended", 4, (0.4, 0.2), 0.95, None, 0.2, 0.05, "clearer")
    comparison = Comparison((doubtful, good), doubtful, good, 10_000)
    report = msgspec.structs.replace(report, comparison=comparison)
    return page(report, fitted.components, labels)


def a_hostile_shop() -> pa.Table:
    rng = np.random.default_rng(2)
    rows: list[dict[str, object]] = [
        {
            "age": float(rng.integers(12, 71)),
            "gender": "F" if rng.random() < 0.5 else "M",
            "country": HOSTILE[int(rng.integers(0, 4))],
            "most_frequent_brand": HOSTILE[int(rng.integers(0, len(HOSTILE)))],
            "most_frequent_category": HOSTILE[int(rng.integers(4, 10))],
        }
        for _ in range(400)
    ]
    return features_table(rows)


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    used: tuple[Feature, ...] = tuple(
        each for each in FEATURES if each.name not in ("total_orders", "traffic_source")
    )
    contents = {
        "usual": made(a_shop(400), FitSettings()),
        "hostile": made(a_hostile_shop(), FitSettings(features=used, encoding="one-hot", components=3, k=12)),
    }
    folder = tmp_path_factory.mktemp("pages")
    for name, content in contents.items():
        (folder / f"{name}.html").write_bytes(content)
    return {name: folder / f"{name}.html" for name in contents}


@pytest.fixture(
    scope="session", params=[(name, width) for name in ("usual", "hostile") for width in WIDTHS], ids=str
)
def visit(request: pytest.FixtureRequest, chromium: Chromium, pages: dict[str, Path]) -> Visit:
    name, width = request.param
    found = chromium.visit(pages[name], width, measuring_script(), dark=width == 420)
    assert found.measured["width"] == width
    return found


def test_nothing_is_wider_than_the_window(visit: Visit) -> None:
    assert visit.measured["scroll_width"] <= visit.measured["width"]
    assert visit.measured["crowded"] == []
    assert visit.measured["burst"] == []
    assert visit.measured["scrolled"] == []


def test_texts_in_charts_lie_apart_and_inside(visit: Visit) -> None:
    assert len(visit.measured["charts"]) >= 10
    for chart in visit.measured["charts"]:
        assert chart["overlapping"] == [], chart["name"]
        assert chart["outside"] == [], chart["name"]
        assert chart["texts"] > 0, chart["name"]
        assert chart["smallest"] >= 9, chart["name"]


def test_it_asks_for_nothing_and_complains_of_nothing(visit: Visit) -> None:
    assert [url.rpartition("/")[2] for url in visit.requests] in (["usual.html"], ["hostile.html"])
    assert visit.complaints == ()


def test_what_the_shop_wrote_runs_nowhere(visit: Visit) -> None:
    assert visit.measured["scripts"] == 0
    assert visit.measured["title"].startswith(
        "Shop <script>document.title='taken'</script>: segments, release "
    )


def test_all_can_be_read(visit: Visit) -> None:
    assert visit.measured["violations"] == []


def test_charts_and_headings_are_named(visit: Visit) -> None:
    assert visit.measured["language"] == "en"
    assert visit.measured["unnamed"] == 0
    assert all(chart["name"] for chart in visit.measured["charts"])
    levels = [level for level, _ in visit.measured["headings"]]
    assert levels.count(1) == 1
    assert levels[0] == 1
    # No level is skipped on the way down.
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert all(words for _, words in visit.measured["headings"])
