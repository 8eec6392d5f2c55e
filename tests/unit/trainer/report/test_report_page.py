from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import msgspec
import pyarrow as pa
import pytest

from schemas.printable import printable
from tests.support.worlds.trained_shops import QUICK, a_shop, features_named, features_table, fitted_shop
from trainer.controls.traits import traits_of
from trainer.fit import Fit, fit
from trainer.names.segment_names import name_segments
from trainer.release.pipeline_numbers import release_of
from trainer.report import Report, page, report_of
from trainer.report.scatter import POINTS
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_rows import select
from trainer.steps.training_window import Window

Rejected = dict[tuple[str, str], int]


def paged(table: pa.Table, settings: FitSettings, rejected: Rejected | None = None) -> tuple[Report, str]:
    return _paged(fit(select(table, settings), settings), rejected)


def shop_page(settings: FitSettings, rejected: Rejected | None = None) -> tuple[Report, str]:
    return _paged(fitted_shop(settings), rejected)


def _paged(fitted: Fit, rejected: Rejected | None) -> tuple[Report, str]:
    settings = fitted.settings
    traits = traits_of(fitted.selection.rows, fitted.labels, settings.features)
    names = name_segments(traits, settings.features)
    report = report_of(fitted, release_of(fitted, names), rejected or {}, traits)
    return report, page(report, fitted.components, fitted.labels).decode()


def charts(html: str) -> dict[str, ET.Element]:
    """The page's labelled SVGs, by what a screen reader says; they are XML."""
    found = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]
    return {svg.attrib["aria-label"]: svg for svg in found if "aria-label" in svg.attrib}


SCATTER = "Training users by component, coloured by segment"


class Tags(HTMLParser):
    """Checks that every element that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "br", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_needs_nothing_but_itself() -> None:
    _, html = shop_page(FitSettings())
    assert not re.search(r"https?:|src=|href=\"[^#]|@import|url\(|<script", html)
    for target in re.findall(r'href="#(\w+)"', html):
        assert f'id="{target}"' in html
    assert "$" not in html


def test_it_is_well_formed() -> None:
    _, html = shop_page(FitSettings(), {("users", "age is 190"): 1})
    tags = Tags()
    tags.feed(html)
    assert tags.open == []


def test_what_the_shop_wrote_is_text_and_never_markup() -> None:
    evil = "<script>alert('1')</script>&\"$x"
    table = features_table([{"age": float(age), "country": evil if age % 3 else "b"} for age in range(40)])
    settings = FitSettings(features=features_named("age", "country"))
    _, html = paged(table, settings, {("users", evil): 1})
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_control_characters_of_the_shop_are_escaped() -> None:
    hostile = "red\x1b[31m\x07\u202eder\r\u2028x"
    table = features_table([{"age": float(age), "country": hostile if age % 3 else "b"} for age in range(40)])
    settings = FitSettings(features=features_named("age", "country"))
    report, html = paged(table, settings, {("users", hostile): 1})
    assert any(hostile in str(segment) or repr(hostile)[1:-1] in str(segment) for segment in report.segments)
    assert printable(html) == html
    assert "\r" not in html
    assert r"red\x1b[31m\x07\u202eder\r\u2028x" in html


def test_the_points_are_a_sample_and_each_segment_has_its_path() -> None:
    report, html = paged(a_shop(POINTS + 800), QUICK)
    scatter = charts(html)[SCATTER]
    drawn = [path.attrib["d"].count("M") for path in scatter.iter("path")]
    assert len(drawn) == report.k
    assert report.users.used > POINTS
    # Each segment's part is rounded, so that their sum may be off by half of one each.
    assert abs(sum(drawn) - POINTS) <= report.k / 2
    assert f"About 3,000 of {report.users.used:,} users, drawn at random" in html


def test_a_small_shop_is_drawn_whole() -> None:
    report, html = shop_page(FitSettings())
    assert (
        sum(path.attrib["d"].count("M") for path in charts(html)[SCATTER].iter("path")) == report.users.used
    )
    assert f"All {report.users.used} users. A number marks" in " ".join(html.split())


def test_every_index_has_its_curve_and_the_k_in_use_its_ring() -> None:
    report, html = shop_page(FitSettings(k=3))
    for name in ("SSE", "Silhouette", "Calinski-Harabasz", "Davies-Bouldin", "Stability"):
        chart = charts(html)[f"{name} for each k"]
        dots = [circle.attrib["class"] for circle in chart.iter("circle")]
        assert dots.count("dot") == len(report.search.rows)
        assert dots.count("used") == 1
    assert f"kneed finds the elbow at {report.search.elbow}; --k is 3." in html


def test_a_model_has_one_silhouette() -> None:
    """In the figures, in the table of every k, and in report.json; the encodings beside it have gains."""
    report, html = shop_page(FitSettings(k=3))
    silhouette = report.metrics["silhouette"]
    (row,) = [row for row in report.search.rows if row.k == 3]
    assert row.silhouette == silhouette
    assert f"<b>{silhouette:.3f}</b><span>silhouette</span>" in html
    assert re.search(rf"<b>3, in use</b></th><td[^>]*>[^<]*</td><td[^>]*>{silhouette:.3f}</td>", html)
    assert b"silhouette" not in msgspec.json.encode(report.comparison)
    assert html.count("how much nearer users are to their own segment than to the next one: 1 at best") == 1


@pytest.mark.parametrize("components", [1, 2, 3])
def test_any_number_of_components(components: int) -> None:
    _, html = shop_page(replace(QUICK, components=components))
    for chart in charts(html).values():
        assert "nan" not in ET.tostring(chart, encoding="unicode")


def test_the_encodings_beside_each_other_and_the_one_in_use() -> None:
    report, html = shop_page(FitSettings(compare=True))
    used = report.comparison.used
    assert used is not None
    assert [each.encoding for each in report.comparison.encodings] == [
        "label",
        "frequency",
        "one-hot",
        "recommended",
    ]
    assert "label (used)" in html
    assert html.count("label (used)") == 1
    chart = charts(html)["How far each encoding's silhouette lies above that of its shuffled data"]
    assert [mark.attrib["class"] for mark in chart.iter("circle")] == ["disc"] * 4
    assert f" ± {used.margin:.3f}" in html
    offered = report.comparison.recommended is not None
    assert ("The recommended preset passes these controls" in html) == offered
    _, alone = shop_page(replace(QUICK, encoding="one-hot", rare=0.005))
    assert "; values of less than 0.5% of the users share one column" in alone
    assert "share one" not in html
    assert "No comparison was asked for." in alone
    assert "The segments were not compared with shuffled data." in alone


def test_the_smallest_shop() -> None:
    table = features_table([{"age": 20.0}, {"age": 30.0}])
    _, html = paged(table, FitSettings(compare=True, k=2, components=1, features=features_named("age")))
    # One k, one point: no curve to draw.
    assert not [name for name in charts(html) if "each k" in name]
    assert "There are too few users to compare the segments with shuffled data." in html


def test_more_segments_than_colours() -> None:
    report, html = shop_page(FitSettings(k=12, k_min=11, k_max=13))
    paths = list(charts(html)[SCATTER].iter("path"))
    looks = {(path.attrib["stroke"], path.attrib["stroke-linecap"]) for path in paths}
    assert len(looks) == report.k == 12


def test_the_window_is_told() -> None:
    settings = FitSettings(encoding="one-hot", rare=0.01)
    fitted = fit(select(a_shop(), settings), settings)
    traits = traits_of(fitted.selection.rows, fitted.labels, settings.features)
    window = Window(datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))
    report = report_of(fitted, release_of(fitted, list("abcde"), window), {}, traits)
    html = page(report, fitted.components, fitted.labels).decode()
    assert "trained on facts before 2024-03-01, users with an order from 2024-01-01</p>" in html
    assert b'"from": "2024-01-01T00:00:00Z",\n  "to": null' in report.json()


def test_a_number_has_its_middle_half_and_no_most_frequent_value() -> None:
    """Once a card said "age 53 1.92%"."""
    table = features_table([{"age": float(age), "country": "ab"[age % 2]} for age in range(1_000, 1_101)])
    settings = FitSettings(k=2, k_min=2, k_max=2, components=1, features=features_named("age", "country"))
    report, html = paged(table, settings)
    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    # 1,000 to 1,100: a quarter of the way is 1,025.
    assert text.count("1,050 1,025 to 1,075") == report.k
    for segment in report.segments:
        half = segment.numbers["age"]
        assert f"age {half.median:,.0f} {half.low:,.0f} to {half.high:,.0f} 1,050" in text
    tables = re.findall(r'<table class="top">.*?</table>', html, re.DOTALL)
    assert len(tables) == report.k
    assert not any("age" in each for each in tables)
