"""The release beside the one in use: whom it would move, how the features changed."""

from collections.abc import Sequence
from html import escape

from schemas.counted import counted
from trainer.drift import NOTABLE, FeatureDrift
from trainer.impact import Impact, Moves
from trainer.report.html import card, number, soft, table, value, words
from trainer.report.numbers import Report

_PAIRS = 12


def changes(report: Report) -> str:
    """The cards."""
    if report.impact is None and report.drift is None:
        return card(
            "No release in use",
            soft("This release was trained beside no other: there is nothing to compare it with."),
        )
    cards = []
    if report.impact is not None:
        cards += [
            _moves(
                "Moved by the model",
                "today's features, the release in use and this one",
                report.impact,
                model=True,
            ),
            _moves(
                "Moved by behaviour",
                "the release in use, the features it was trained on and today's",
                report.impact,
                model=False,
            ),
            _metrics(report.impact),
        ]
    if report.drift is not None:
        cards.append(_drift(report.drift.features))
    return "\n".join(cards)


def _moves(title: str, of_what: str, impact: Impact, *, model: bool) -> str:
    moves: Moves | None = impact.by_model if model else impact.by_behaviour
    if moves is None:
        return card(
            title, soft("Cannot be told: the features or users of the release in use are not at hand.")
        )
    said = f"<b>{moves.share:.1%}</b> of {counted(moves.users, 'user')}: {of_what}."
    if not moves.pairs:
        return card(title, f"<p>{said}</p>")

    def named(id_: int) -> str:
        return f"{id_} · {value(impact.names.get(id_, 'unknown'))}"

    rows = [
        (f"{named(pair.previous)} → {named(pair.segment)}", f"{pair.users:,}")
        for pair in moves.pairs[:_PAIRS]
    ]
    others = sum(pair.users for pair in moves.pairs[_PAIRS:])
    if others:
        rows.append((f"{len(moves.pairs) - _PAIRS} other pairs", f"{others:,}"))
    return card(title, f"<p>{said}</p>", table(("from, to", "users"), rows))


def _metrics(impact: Impact) -> str:
    def shown(figure: float | None) -> str:
        return "–" if figure is None else number(figure, ",.0f" if abs(figure) >= 100 else ".3f")

    rows = [(words(metric.name), shown(metric.current), shown(metric.new)) for metric in impact.metrics]
    return card(
        "Figures of both",
        table(("", "in use", "this one"), rows, numbers=2),
        soft(f"The release in use is <code>{escape(impact.current)}</code>."),
    )


def _drift(features: Sequence[FeatureDrift]) -> str:
    rows = [
        (
            words(each.name) + (_most_changed(each) if each.drifted else ""),
            number(each.psi),
            number(each.chance),
            "<b>drifted</b>" if each.drifted else "as it was",
        )
        for each in features
    ]
    return card(
        "Drift of the features",
        table(("feature", "PSI", "by chance", ""), rows, numbers=3),
        soft(
            "PSI measures how far the training users' values are from those of the release in use; "
            f"“by chance” is what two samples of the same users stay below 99 times in 100. Drift is above both that and "
            f"{NOTABLE}."
        ),
    )


def _most_changed(feature: FeatureDrift) -> str:
    found = max(feature.bins, key=lambda each: abs(each.now - each.before))
    return f"<small>most of all {value(found.value)}: {found.before:.1%} → {found.now:.1%}</small>"
