"""The first look: figures, what to make of them, sizes, the picture of all users."""

from html import escape

from trainer.encode import Matrix
from trainer.evaluate import SILHOUETTE_ROWS, Labels
from trainer.report.bars import Bar, bar_chart
from trainer.report.html import card, number, soft, table
from trainer.report.numbers import Report
from trainer.report.scatter import POINTS, scatter_chart
from trainer.report.svg import colour

_METRICS = {
    "sse": ("SSE", "the sum of squared distances to the centres", ",.1f"),
    "silhouette": (
        "Silhouette",
        f"−1 to 1, higher is better; over at most {SILHOUETTE_ROWS:,} users",
        ".3f",
    ),
    "calinski_harabasz": ("Calinski-Harabasz", "higher is better", ",.1f"),
    "davies_bouldin": ("Davies-Bouldin", "lower is better", ".3f"),
    "stability": ("Stability", "adjusted Rand index under resampling; 1 is best", ".3f"),
    "explained_variance": ("Explained variance", "what the components keep of the features", ".1%"),
}


def figures(report: Report) -> str:
    """The boxes at the top."""
    shown = [(f"{report.users.used:,}", "users trained on"), (str(report.k), "segments")]
    for name in ("silhouette", "stability", "explained_variance"):
        if name in report.metrics:
            label, _, form = _METRICS[name]
            shown.append((number(report.metrics[name], form), label.lower()))
    boxes = "\n".join(f'<div class="figure"><b>{box}</b><span>{label}</span></div>' for box, label in shown)
    return f'<div class="figures">{boxes}</div>'


def clusters(report: Report, components: Matrix, labels: Labels) -> str:
    """The cards; see :func:`trainer.report.page.page` for the arguments."""
    beside = card("Size of the segments", _sizes(report)) + card("Figures", _metrics(report))
    return (
        card("Users by component", _scatter(report, components, labels))
        + f'<div class="stack">{beside}</div>'
    )


def _scatter(report: Report, components: Matrix, labels: Labels) -> str:
    users = len(labels)
    drawn = (
        f"About {POINTS:,} of {users:,} users, drawn at random with a fixed seed, of every segment in proportion; "
        "of a small one more, so that it is seen."
        if users > POINTS
        else f"All {users:,} users."
    )
    return scatter_chart(components, labels, report.segments, report.explained_variance) + soft(
        f"{drawn} A number marks the centre of that segment."
    )


def _sizes(report: Report) -> str:
    rows = [
        Bar(
            f"{segment.id}  {segment.name}",
            segment.size,
            f"{segment.size:,}  ({segment.cluster_ratio:.1f}%)",
            colour(place),
        )
        for place, segment in enumerate(report.segments)
    ]
    return bar_chart("Users in each segment", rows)


def _metrics(report: Report) -> str:
    rows = [
        (f"{escape(label)}<br><small>{escape(hint)}</small>", number(report.metrics[name], form))
        for name, (label, hint, form) in _METRICS.items()
        if name in report.metrics
    ]
    return table(("", ""), rows)
