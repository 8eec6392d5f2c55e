"""``report.html``: one file that opens without a network."""

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from string import Template

from trainer.encode import Matrix
from trainer.evaluate import SILHOUETTE_ROWS, Labels
from trainer.report.charts import POINTS, elbow_chart, scatter_chart, size_chart
from trainer.report.numbers import Report, SegmentReport, Share
from trainer.report.svg import colour

_METRICS = {
    "sse": ("SSE", "the sum of squared distances to the centres", "{:,.1f}"),
    "silhouette": (
        "Silhouette",
        f"−1 to 1, higher is better; over at most {SILHOUETTE_ROWS:,} users",
        "{:.3f}",
    ),
    "calinski_harabasz": ("Calinski-Harabasz", "higher is better", "{:,.1f}"),
    "davies_bouldin": ("Davies-Bouldin", "lower is better", "{:.3f}"),
    "stability": ("Stability", "adjusted Rand index under resampling; 1 is best", "{:.3f}"),
    "explained_variance": ("Explained variance", "what the components keep of the features", "{:.1%}"),
}


def page(report: Report, components: Matrix, labels: Labels) -> bytes:
    """The page, UTF-8.

    Args:
        report: the numbers.
        components: of the training users, shape (rows, components).
        labels: each row's place in ``report.segments``, shape (rows,).
    """
    here = files("trainer.report")
    template = Template(here.joinpath("page.html").read_text(encoding="utf-8"))
    enough = len(report.curve.ks) > 1
    return template.substitute(
        version=escape(report.version),
        style=here.joinpath("page.css").read_text(encoding="utf-8"),
        subtitle=_subtitle(report),
        figures=_figures(report),
        elbow=elbow_chart(report.curve, report.k) if enough else "",
        elbow_words=_elbow_words(report),
        scatter=scatter_chart(components, labels, report.segments, report.explained_variance),
        scatter_words=_scatter_words(len(labels)),
        sizes=size_chart(report.segments),
        metrics=_metrics(report),
        segments="\n".join(_segment(place, segment) for place, segment in enumerate(report.segments)),
        users=_users(report),
        nulls=_nulls(report),
        rejected=_rejected(report),
        settings=_settings(report),
    ).encode()


def _subtitle(report: Report) -> str:
    until = "all facts" if report.as_of is None else f"facts before {report.as_of}"
    return f"Release <code>{escape(report.version)}</code>, trained on {escape(until)}"


def _figures(report: Report) -> str:
    shown = [(f"{report.users.used:,}", "users trained on"), (str(report.k), "segments")]
    for name in ("silhouette", "stability", "explained_variance"):
        if name in report.metrics:
            label, _, form = _METRICS[name]
            shown.append((form.format(report.metrics[name]), label.lower()))
    return "\n".join(
        f'<div class="figure"><b>{value}</b><span>{label}</span></div>' for value, label in shown
    )


def _elbow_words(report: Report) -> str:
    drawn = f"k from {report.curve.ks[0]} to {report.curve.ks[-1]}" if report.curve.ks else "so few users"
    found = f"kneed finds the elbow at {report.curve.elbow}" if report.curve.elbow else "kneed finds no elbow"
    how = "which is used" if report.settings.k is None else f"the setting k is {report.settings.k}"
    return f"For {drawn}, {found}; {how}."


def _scatter_words(users: int) -> str:
    drawn = f"{POINTS:,} of {users:,} users, drawn at random with a fixed seed"
    return (
        f"{drawn if users > POINTS else f'All {users:,} users'}; a number marks the centre of that segment."
    )


def _metrics(report: Report) -> str:
    return _table(
        ("", ""),
        (
            (
                f"{escape(label)}<br><small class='soft'>{escape(hint)}</small>",
                form.format(report.metrics[name]),
            )
            for name, (label, hint, form) in _METRICS.items()
            if name in report.metrics
        ),
    )


def _segment(place: int, segment: SegmentReport) -> str:
    swatch = f'<span class="swatch" style="background:{colour(place)}"></span>'
    rows = "".join(
        f"<tr><th>{_words(name)}</th>{''.join(_share(share) for share in top)}{'<td></td>' * (3 - len(top))}</tr>"
        for name, top in segment.top.items()
    )
    return (
        f'<section class="card"><h3>{swatch}{segment.id} · {escape(segment.name)}</h3>'
        f'<p class="soft">{segment.size:,} users, cluster ratio {segment.cluster_ratio:.2f}%</p>'
        f'<table class="top"><tbody>{rows}</tbody></table></section>'
    )


def _share(share: Share) -> str:
    return f"<td>{escape(str(share.value))}<small>{share.ratio:.2f}%</small></td>"


def _users(report: Report) -> str:
    users = report.users
    rows = [("read", users.read), ("left out: no order", users.without_orders)]
    rows += [(f"left out: no {_words(name)}", count) for name, count in users.missing.items() if count]
    rows.append(("trained on", users.used))
    both = sum(count > 0 for count in users.missing.values()) > 1
    note = '<p class="soft">A user who lacks two values stands in both lines.</p>' if both else ""
    return _table(("Users", "number"), ((escape(label), f"{count:,}") for label, count in rows)) + note


def _nulls(report: Report) -> str:
    rows = (
        (escape(_words(name)), f"{count:,} ({count / report.users.read:.1%})")
        for name, count in report.users.nulls.items()
    )
    return _table(("Feature", "of all users read"), rows)


def _rejected(report: Report) -> str:
    if not report.rejected:
        return ""
    rows = ((f"{escape(each.table)}: {escape(each.reason)}", f"{each.rows:,}") for each in report.rejected)
    table = _table(("Table and reason", "rows"), rows)
    return f'<section class="card"><h3>Rows of the warehouse left out</h3>\n{table}</section>'


def _settings(report: Report) -> str:
    settings = report.settings
    statuses = ", ".join(settings.exclude_statuses) or "none"
    return _table(
        ("", ""),
        (
            ("features", escape(", ".join(settings.names))),
            ("encoding", f"{settings.encoding}, {report.columns:,} columns"),
            ("components", str(settings.components)),
            ("k", "the elbow" if settings.k is None else str(settings.k)),
            ("orders left out by status", escape(statuses)),
            ("space", f"<code>{escape(report.space)}</code>"),
        ),
        numbers=False,
    )


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]], *, numbers: bool = True) -> str:
    """A table of two columns; the cells are HTML."""
    kind = ' class="number"' if numbers else ""
    top = f"<thead><tr><th>{head[0]}</th><th{kind}>{head[1]}</th></tr></thead>" if any(head) else ""
    body = "".join(f"<tr><th>{label}</th><td{kind}>{value}</td></tr>" for label, value in rows)
    return f"<table>{top}<tbody>{body}</tbody></table>"


def _words(name: str) -> str:
    return name.replace("_", " ")
