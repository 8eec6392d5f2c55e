"""A card for each segment: what sets it apart, and the article's table."""

from schemas.counted import counted
from trainer.report.heat import heat_chart
from trainer.report.html import badge, card, number, soft, table, value, words
from trainer.report.numbers import Report, SegmentReport, Share
from trainer.traits import Trait

TRAITS = 8


def side_by_side(report: Report) -> str:
    """What sets the segments apart, in one chart beside their names."""
    ids = [segment.id for segment in report.segments]
    names = "".join(
        f"<li>{badge(place, segment.id, segment.name)}</li>" for place, segment in enumerate(report.segments)
    )
    return card(
        "Side by side",
        f'<ul class="legend">{names}</ul>',
        heat_chart(report.profile, ids),
        soft(
            "The difference to all users in standard deviations, of a number or of the share who have a value: blue is "
            "more, orange is less."
        ),
        wide=True,
    )


def segment_cards(report: Report) -> str:
    """The cards, in the segments' order."""
    return "\n".join(_card(place, segment) for place, segment in enumerate(report.segments))


def _card(place: int, segment: SegmentReport) -> str:
    return (
        f'<section class="card"><h3>{badge(place, segment.id, segment.name)}</h3>'
        + soft(f"{counted(segment.size, 'user')}, cluster ratio {segment.cluster_ratio:.2f}%")
        + "<h4>What sets it apart</h4>"
        + _traits(segment)
        + "<h4>Most frequent values</h4>"
        + _top(segment)
        + "</section>"
    )


def _traits(segment: SegmentReport) -> str:
    shown = [trait for trait in segment.traits if trait.clear][:TRAITS]
    if not shown:
        return soft("Nothing, beyond what segments dealt out at random would show.")
    return table(("", "here", "everybody", "difference"), map(_trait, shown), numbers=3, css="traits")


def _trait(trait: Trait) -> tuple[str, str, str, str]:
    z = f"<small>z {number(trait.z, '+.0f')}</small>"
    deviations = f"{number(trait.effect, '+.2f')} SD"
    if trait.value is None:
        return (
            words(trait.feature),
            number(trait.here, ".4g"),
            number(trait.everywhere, ".4g"),
            f"{deviations}{z}",
        )
    return (
        f"{value(trait.value)}<small>{words(trait.feature)}</small>",
        f"{trait.here:.1%}",
        f"{trait.everywhere:.1%}",
        f"{trait.lift:.3g} ×{z}",
    )


def _top(segment: SegmentReport) -> str:
    rows = [[words(name), *map(_share, top), *[""] * (3 - len(top))] for name, top in segment.top.items()]
    return table(("", "", "", ""), rows, numbers=0, css="top")


def _share(share: Share) -> str:
    return f"{value(share.value)}<small>{share.ratio:.2f}%</small>"
