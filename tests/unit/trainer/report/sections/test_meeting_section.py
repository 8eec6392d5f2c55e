from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from schemas.features import FEATURES, RFM
from tests.support.worlds.trained_shops import a_shop_of_kinds
from trainer.controls.compare_encodings import Comparison, EncodingControl
from trainer.controls.followup import Followup, Outcome, SegmentFollowup
from trainer.controls.traits import Trait, traits_of
from trainer.controls.worth_so_far import worth_of
from trainer.fit import fit
from trainer.names.segment_names import name_segments
from trainer.release.pipeline_numbers import release_of
from trainer.report import Report, Shop, page, report_of
from trainer.report.advice import Advice
from trainer.report.sections.meeting_section import meeting
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_rows import select

T = datetime(2024, 10, 1, tzinfo=UTC)
CONTROL = EncodingControl("label", 3, (0.3, 0.2), 0.9, 0.9, 0.2, 0.05, "clearer")
TELLING, CHANCE = Outcome("repeat", 0.07, 0.01, 0.02), Outcome("repeat", 0.01, 0.01, 0.02)


@pytest.fixture(scope="module")
def report() -> Report:
    settings = FitSettings(k=3, k_min=3, k_max=3, encoding="one-hot", scaling="balanced")
    fitted = fit(select(a_shop_of_kinds(), settings), settings)
    traits = traits_of(fitted.selection.rows, fitted.labels, settings.features)
    release = release_of(fitted, name_segments(traits, settings.features))
    orders = np.ones(len(fitted.labels))
    worth = worth_of(fitted.labels, orders, orders * 1_234.5, 3)
    return report_of(fitted, release, {}, traits, worth=worth, shop=Shop("Sprocket", "EUR"))


def said(report: Report) -> str:
    """The words of the section, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", meeting(report)).replace("\N{NO-BREAK SPACE}", " ").split())


def with_first(report: Report, **changes: object) -> Report:
    first, *others = report.segments
    changed = msgspec.structs.replace(first, **changes)
    return msgspec.structs.replace(report, segments=(changed, *others))


def test_what_it_is(report: Report) -> None:
    women = Trait("gender", "F", 0.84, 0.5, 0.7, 9.0, clear=True)
    canada = Trait("country", "Canada", 0.45, 0.12, 0.6, 9.0, clear=True)
    peru = Trait("country", "Peru", 0.45, 0.12, 0.6, 9.0, clear=True)
    fewer = Trait("total_orders", None, 1.2, 2_345.6, -0.5, -9.0, clear=True)
    younger = Trait("age", None, 25.0, 41.0, -0.4, -9.0, clear=True)
    told = said(with_first(report, traits=(women, canada, peru, fewer, younger)))
    assert (
        "What it is 84% women (all users: 50%) ; 45% with country Canada (all users: 12%) ; "
        "fewer orders: 1.2 on average (all users: 2,346) . What it is worth" in told
    )
    unclear = replace(canada, clear=False)
    assert "Like all users: no difference is clear." in said(with_first(report, traits=(unclear,)))
    # Few have the value, and the difference is small: neither describes the segment.
    few, weak = replace(canada, here=0.05), replace(younger, effect=-0.05)
    assert "Like all users: no difference is clear." in said(with_first(report, traits=(few, weak)))


def test_the_traits_of_the_name_come_first_though_they_may_be_chance(report: Report) -> None:
    fewer = Trait("total_orders", None, 1.2, 2_345.6, -0.5, -9.0, clear=True)
    toys = Trait("most_frequent_category", "Toys", 0.12, 0.01, 0.4, 11.3, clear=False)
    younger = Trait("age", None, 25.0, 41.0, -0.4, -9.0, clear=True)
    named = with_first(report, traits=(fewer, toys, younger), name="Often Toys, younger")
    assert (
        "What it is 12% with most frequent category Toys (all users: 1%; this may be chance) ; younger: 25 "
        "on average (all users: 41) ; fewer orders" in said(named)
    )


def test_a_number_whose_logarithm_the_model_reads_has_its_median(report: Report) -> None:
    rfm = msgspec.structs.replace(report, settings=replace(report.settings, features=(*FEATURES, *RFM)))
    more = Trait("monetary", None, 859.5, 255.0, 0.8, 9.0, clear=True)
    recent = Trait("recency", None, 13.0, 54.0, -0.7, -9.0, clear=True)
    assert (
        "Higher monetary: median EUR 859.50 (all users: EUR 255.00) ; ordered recently: median 13 days (all "
        "users: 54 days) ." in said(with_first(rfm, traits=(more, recent)))
    )


def test_how_large_and_what_it_is_worth(report: Report) -> None:
    first = report.segments[0]
    share = first.size / report.users.used
    told = said(report)
    assert f"{first.name} {share:.0%} of the users: {first.size}" in told
    assert f"So far 1 order and a spend of EUR 1,234.50 per user: {share:.0%} of all spend." in told
    assert f"EUR {report.users.used * 1_234.5:,.0f} spend so far" in told
    worth = report.worth
    assert worth is not None
    segments = (msgspec.structs.replace(each, spend=None, spend_share=None) for each in worth.segments)
    unpriced = msgspec.structs.replace(worth, spend=None, segments=tuple(segments))
    assert f"So far 1 order per user: {share:.0%} of all orders." in said(
        msgspec.structs.replace(report, worth=unpriced)
    )
    assert "Orders so far are not known." in said(msgspec.structs.replace(report, worth=None))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("keep", "Keep them"),
        ("win_back", "Win them back"),
        ("grow", "Help them grow"),
        ("second_order", "Give a reason for the next order"),
        ("usual", "Treat them as all users: they are worth about as much."),
    ],
)
def test_what_to_try(report: Report, kind: str, words: str) -> None:
    advice = msgspec.convert({"kind": kind, "feature": "country", "value": "Canada"}, Advice)
    told = said(with_first(report, advice=advice))
    assert f"What to try {words}" in told
    assert "Choose examples for country Canada ." in told
    assert "Choose examples for women." in said(with_first(report, advice=Advice("usual", "gender", "F")))
    unknown = msgspec.structs.replace(with_first(report, advice=Advice("usual")), worth=None)
    assert "Treat them as all users, until it is known what they are worth." in said(unknown)


def test_how_sure_it_is(report: Report) -> None:
    def judged(verdict: str) -> str:
        control = msgspec.convert({**msgspec.to_builtins(CONTROL), "verdict": verdict}, EncodingControl)
        return said(msgspec.structs.replace(report, comparison=Comparison((control,), control, None, 1_000)))

    assert "It was not checked whether" in said(report)
    assert "The segments are clearer than those of shuffled data." in judged("clearer")
    assert "Careful: the segments are not clearer" in judged("no clear difference").replace(" :", ":")
    other = "another number of segments may be better"
    assert other in said(msgspec.structs.replace(report, k_unclear="Elbow: 4."))
    assert other not in said(msgspec.structs.replace(report, k_unclear=None))
    metrics = {**report.metrics, "stability": 0.59}
    careful = "another sample of the users gives other segments."
    assert careful in said(msgspec.structs.replace(report, metrics=metrics))
    assert careful not in said(msgspec.structs.replace(report, metrics={**metrics, "stability": 0.6}))


def test_the_90_days_after(report: Report) -> None:
    segments = tuple(SegmentFollowup(each.id, 10, 0.1 * each.id, 1, None, None) for each in report.segments)
    after = Followup(T, T, 30, segments, (TELLING,))
    told = said(msgspec.structs.replace(report, followup=after))
    # 0, 10% and 20% of ten users each.
    assert "In the last 90 days, 20.0% ordered again (all users: 10.0%) ." in told
    assert "The segments explain 7.0% of the differences between users in later orders." in told
    by_chance = replace(after, outcomes=(CHANCE,))
    assert "the segments do not predict later orders" in said(
        msgspec.structs.replace(report, followup=by_chance)
    )
    assert "It is not known whether the segments predict later orders." in said(report)


def test_the_shop_s_name_is_in_the_title_and_is_text(report: Report) -> None:
    def titled(name: str) -> str:
        named = msgspec.structs.replace(report, shop=Shop(name))
        return page(named, np.zeros((1, 2)), np.zeros(1, dtype=np.int32)).decode()

    html = titled("Tom & <b>Co</b>")
    assert f"<title>Tom &amp; &lt;b&gt;Co&lt;/b&gt;: segments, release {report.version}</title>" in html
    assert "<h1><bdi>Tom &amp; &lt;b&gt;Co&lt;/b&gt;</bdi>: customer segments</h1>" in html
    assert "<h1>Customer segments</h1>" in titled("")
