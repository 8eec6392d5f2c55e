"""The first page, for a meeting: what each segment is, how large, what it is worth, and what to try."""

from collections.abc import Iterator, Mapping

from markupsafe import Markup

from schemas.features import Feature
from trainer.controls.followup import DAYS
from trainer.controls.traits import Trait, shows_median
from trainer.names.segment_names import gender_word, is_named, notable, number_words
from trainer.report.advice import repeat_rate
from trainer.report.charts.html import money, quantity, render, share
from trainer.report.report_numbers import Report, SegmentReport
from trainer.report.units import currency_of
from trainer.report.verdict import UNSTABLE, clearest

FACTS = 3


def meeting(report: Report) -> Markup:
    """The HTML of the page: key figures, how sure they are, and a card for each segment."""
    followup = report.followup
    clear = clearest(followup)
    features = {feature.name: feature for feature in report.settings.features}
    return render(
        "meeting.html",
        report=report,
        figures=list(_figures(report)),
        unstable=UNSTABLE,
        everybody=followup and repeat_rate(followup),
        explained=clear.eta_squared if clear else None,
        later={each.segment: each for each in followup.segments} if followup else {},
        segments=[(segment, list(_facts(segment, features, report))) for segment in report.segments],
        shown={segment.id: _shown(segment, features) for segment in report.segments},
        days=DAYS,
        used=report.users.used,
        currency=report.shop.currency,
    )


def _figures(report: Report) -> Iterator[tuple[str, str]]:
    yield f"{report.users.used:,}", "users"
    yield str(report.k), "segments"
    if report.worth is not None:
        yield f"{report.worth.orders:,.0f}", "orders so far"
        if report.worth.spend is not None:
            # A box is narrow: here a code may stand above its amount.
            yield (
                money(report.worth.spend, report.shop.currency).replace("\N{NO-BREAK SPACE}", " "),
                "spend so far",
            )


def _facts(
    segment: SegmentReport, features: Mapping[str, Feature], report: Report
) -> Iterator[tuple[str, str, str]]:
    """Yield the traits of the segment's name, then the strongest clear ones, one for each feature: our words,
    a value from the shop's data (empty for a number), and the figure of all users.
    """
    traits = [trait for trait in segment.traits if notable(trait)]
    named = [trait for trait in traits if is_named(trait, features[trait.feature], segment.name)]
    told: set[str] = set()
    for trait in (*named, *(trait for trait in traits if trait.clear)):
        if trait.feature not in told and len(told) < FACTS:
            told.add(trait.feature)
            words, value, everywhere = _fact(
                trait, features[trait.feature], currency_of(report, trait.feature)
            )
            yield words, value, everywhere if trait.clear else f"{everywhere}; this may be chance"


def _fact(trait: Trait, feature: Feature, currency: str) -> tuple[str, str, str]:
    if trait.value is None:
        words = number_words(feature)[trait.effect > 0]
        if feature.boolean:
            return f"{words}: {share(trait.here)} of them", "", share(trait.everywhere)
        unit = " days" if feature.of_time else ""
        here, everywhere = (f"{quantity(n, currency)}{unit}" for n in (trait.here, trait.everywhere))
        middle = f"median {here}" if shows_median(feature) else f"{here} on average"
        return f"{words}: {middle}", "", everywhere
    here, everywhere = share(trait.here), share(trait.everywhere)
    known = gender_word(feature, trait.value)
    if known:
        return f"{here} {known}", "", everywhere
    return f"{here} with {feature.name.replace('_', ' ')}", trait.value, everywhere


def _shown(segment: SegmentReport, features: Mapping[str, Feature]) -> tuple[str, str] | None:
    """The words and the value that examples for the segment should fit; None if no text describes it."""
    name, value = segment.advice.feature, segment.advice.value
    if name is None or value is None:
        return None
    known = gender_word(features[name], value)
    return (known, "") if known else (name.replace("_", " "), value)
