"""What the picture is made of: loadings, and the encodings beside each other."""

from html import escape

from trainer.compare import HALVES, EncodingControl
from trainer.loadings import Loading
from trainer.report.bars import Bar, bar_chart
from trainer.report.html import card, number, soft, table, value
from trainer.report.intervals import IntervalRow, interval_chart
from trainer.report.numbers import Report
from trainer.report.svg import COLOURS
from trainer.report.verdict import structure

_COMPONENTS = 6  # the first ones, which keep the most


def space(report: Report) -> str:
    """A card for each of the first components, and one for the encodings."""
    shown = list(zip(report.loadings, report.explained_variance, strict=True))[:_COMPONENTS]
    cards = [_component(place, parts, share) for place, (parts, share) in enumerate(shown, start=1)]
    return "\n".join([*cards, _encodings(report)])


def _component(place: int, parts: tuple[Loading, ...], explained: float) -> str:
    ordered = sorted(parts, key=lambda part: -part.share)
    rows = [
        Bar(part.feature.replace("_", " "), part.share, _figure(part), COLOURS[0], None) for part in ordered
    ]
    values = [part for part in ordered if part.values and part.share >= 0.05]
    said = [
        f"{escape(part.feature.replace('_', ' '))}: "
        + ", ".join(f"{value(each.value)} {number(each.weight, '+.2f')}" for each in part.values)
        for part in values
    ]
    return card(
        f"Component {place}",
        soft(f"It keeps {explained:.1%} of the variance, and is made of:"),
        bar_chart(f"What component {place} is made of", rows, full=1.0),
        *(soft(line) for line in said),
    )


def _figure(part: Loading) -> str:
    weight = "" if part.weight is None else f"weight {number(part.weight, '+.2f')}   "
    return f"{weight}{part.share:.0%}"


def _encodings(report: Report) -> str:
    comparison = report.comparison
    controls = comparison.encodings
    if not controls:
        why = "Too few users to compare encodings." if comparison.users else "No comparison was asked for."
        return card("Encodings beside each other", soft(why))
    used = comparison.used
    chart = interval_chart(
        "How far each encoding's silhouette lies above that of its shuffled data",
        [
            IntervalRow(
                control.encoding,
                f"{number(control.gain, '+.3f')} ± {number(control.margin)}",
                control.gain,
                control.margin,
            )
            for control in controls
        ],
    )
    offered = (
        "The recommended preset passes these controls: it is worth a try."
        if comparison.recommended is not None
        else "The recommended preset is not offered: it does not pass these controls."
    )
    return card(
        "Encodings beside each other",
        soft(
            f"Each is held against its own data with the columns shuffled among the users, over {HALVES} halves of "
            f"{comparison.users:,} users: how far its silhouette lies above. The interval is how far that goes from half "
            "to half; where it holds 0, there is no clear difference."
        ),
        chart,
        table(
            ("encoding", "explained variance", "bootstrap ARI", "permuted codes ARI"),
            [_row(control, used) for control in controls],
            numbers=3,
            css="dense",
        ),
        f"<p>{structure(used)}</p>" if used else "",
        f"<p>{offered}</p>",
        wide=True,
    )


def _row(control: EncodingControl, used: EncodingControl | None) -> tuple[str, ...]:
    permuted = control.permuted_codes_ari
    name = escape(control.encoding) + (
        " (used)" if used is not None and control.encoding == used.encoding else ""
    )
    return (
        f"{name}<small>k {control.k}, {_held(control)}</small>",
        f"{sum(control.explained_variance):.1%}",
        number(control.bootstrap_ari, ".2f"),
        "–" if permuted is None else number(permuted, ".2f"),
    )


def _held(control: EncodingControl) -> str:
    if control.verdict == "clearer":
        return "passes" if control.holds else "clearer than shuffled, but not stable"
    return "less clear than shuffled" if control.verdict == "less clear" else control.verdict
