"""What to make of the report, in a few plain sentences."""

from collections.abc import Iterator

from schemas.counted import counted
from trainer.compare import STABLE_ARI, EncodingControl
from trainer.followup import DAYS
from trainer.named_k import disagreement
from trainer.report.html import number
from trainer.report.numbers import Report

_STABLE, _UNSTABLE = 0.9, 0.6
_OUTCOMES = {"repeat": "who orders again", "orders": "how many orders follow", "spend": "what is spent"}


def verdict(report: Report) -> str:
    """A list, as HTML."""
    return f'<ul class="verdict">{"".join(f"<li>{each}</li>" for each in _sentences(report))}</ul>'


def structure(control: EncodingControl) -> str:
    """Whether there is more structure than in shuffled data, in words."""
    gain = f"{number(abs(control.gain))} ± {number(control.margin)}"
    where = "below" if control.gain < 0 else "above"
    figures = f"the silhouette lies {gain} {where} that of the shuffled data"
    if control.verdict == "clearer":
        return f"The segments are clearer than those of the same data with its columns shuffled among the users: {figures}."
    if control.verdict == "less clear":
        return f"<b>Less clear than shuffled:</b> with its columns shuffled among the users the same data makes clearer segments; {figures}."
    return (
        "<b>No clear difference from shuffled data:</b> with its columns shuffled among the users the same data makes "
        f"segments about as clear ({figures}). Nothing shows that these segments are groups that were there; they may "
        "cut a cloud into parts."
    )


def _sentences(report: Report) -> Iterator[str]:
    control = report.comparison.used
    if control is None:
        few = "Too few users to hold the segments against shuffled data."
        yield few if report.comparison.users else "The segments were not held against shuffled data."
    else:
        yield structure(control)
    yield _stability(report.metrics["stability"])
    if control is not None and control.bootstrap_ari < STABLE_ARI:
        yield (
            f"<b>Fitted anew as a whole</b>, space and segments, to resamples of {report.comparison.users:,} users, "
            f"they agree only with an adjusted Rand index of {number(control.bootstrap_ari, '.2f')}: the space itself "
            "depends on who is among the users."
        )
    permuted = control.permuted_codes_ari if control else None
    if permuted is not None and permuted < STABLE_ARI:
        yield (
            f"<b>They hang on how values are spelled:</b> with other codes for the same texts the segments agree only "
            f"with an adjusted Rand index of {number(permuted, '.2f')}."
        )
    better = report.comparison.recommended
    if better is not None and (control is None or better.encoding != control.encoding):
        yield (
            "The recommended preset passes these controls (the silhouette lies "
            f"{number(better.gain)} ± {number(better.margin)} above that of the shuffled data): it is worth a try."
        )
    unclear = disagreement(report.search, report.k, report.k_by)
    if unclear is not None:
        yield unclear
    yield _future(report)
    if report.impact is not None and report.impact.by_model is not None:
        moved = report.impact.by_model
        yield f"Publishing would move {moved.share:.1%} of {counted(moved.users, 'user')} by the model alone."


def _stability(stability: float) -> str:
    said = f"(adjusted Rand index {number(stability, '.2f')})"
    if stability >= _STABLE:
        return f"Within this space they do not depend on who happens to be among the users {said}."
    if stability >= _UNSTABLE:
        return f"Within this space they depend somewhat on who happens to be among the users {said}."
    return f"<b>They depend on who happens to be among the users</b>: resamples give other segments {said}."


def _future(report: Report) -> str:
    if report.followup is None:
        return "Whether they say anything about the future cannot be told: see below."
    told = [each for each in report.followup.outcomes if not each.by_chance]
    if not told:
        return f"<b>They say nothing about the {DAYS} days after</b> that segments dealt out at random would not."
    best = max(told, key=lambda each: each.eta_squared)
    return (
        f"They tell {best.eta_squared:.1%} of the variance in {_OUTCOMES[best.outcome]} within the {DAYS} days after; "
        f"segments dealt out at random at most {best.shuffled_most:.1%}."
    )
