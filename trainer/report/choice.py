"""How many segments: every figure for every k."""

from trainer.evaluate import KQuality
from trainer.named_k import disagreement
from trainer.report.curves import counts_chart, curve_chart
from trainer.report.html import number, soft, table
from trainer.report.numbers import Report

_HOW = {
    "preset": "the preset's k is {}",
    "setting": "--k is {}",
    "elbow": "which is used",
    "release": "the release in use had {}",
}
_INDICES = {
    "sse": ("SSE", "lower is better, at the same k"),
    "silhouette": ("Silhouette", "higher is better"),
    "calinski_harabasz": ("Calinski-Harabasz", "higher is better"),
    "davies_bouldin": ("Davies-Bouldin", "lower is better"),
    "stability": ("Stability", "higher is better, 1 at best"),
}


def choice(report: Report) -> str:
    """Words, charts and a table."""
    search = report.search
    charts = []
    if len(search.rows) > 1:
        ks = [row.k for row in search.rows]
        for index, (name, better) in _INDICES.items():
            values = [getattr(row, index) for row in search.rows]
            if any(figure is not None for figure in values):
                elbow = search.elbow if index == "sse" else None
                chart = curve_chart(f"{name} for each k", ks, values, used=report.k, elbow=elbow)
                charts.append(_figure(name, better, chart))
        if search.elbow_counts:
            times = sum(search.elbow_counts.values())
            chart = counts_chart("How often each k was the elbow", ks, search.elbow_counts)
            charts.append(_figure("The elbow", f"in {times} resamples, how often at each k", chart))
    return soft(_words(report)) + f'<div class="small">{"".join(charts)}</div>' + _table(report)


def _figure(name: str, hint: str, chart: str) -> str:
    return f"<figure><figcaption><b>{name}</b> <small>{hint}</small></figcaption>{chart}</figure>"


def _words(report: Report) -> str:
    search = report.search
    drawn = f"k from {search.rows[0].k} to {search.rows[-1].k}" if search.rows else "so few users"
    found = f"kneed finds the elbow at {search.elbow}" if search.elbow else "kneed finds no elbow"
    said = f"For {drawn}, {found}; {_HOW[report.k_by].format(report.k)}."
    if len(search.rows) > 1:
        said += " A ring marks the k in use" + (", a dashed line the elbow." if search.elbow else ".")
    if search.users < report.users.used:
        said += f" The figures are over {search.users:,} users, drawn at random with a fixed seed; those of the k in use over all."
    unclear = disagreement(search, report.k, report.k_by)
    return f"{said} {unclear}" if unclear else said


def _table(report: Report) -> str:
    rows = [_row(row, report) for row in report.search.rows]
    if not rows:
        return ""
    head = ("k", "SSE", "silhouette", "Calinski-<wbr>Harabasz", "Davies-<wbr>Bouldin", "stability", "elbow")
    return f"<details><summary>As a table</summary>{table(head, rows, numbers=6)}</details>"


def _row(row: KQuality, report: Report) -> tuple[str, ...]:
    def shown(figure: float | None, form: str) -> str:
        return "–" if figure is None else number(figure, form)

    return (
        f"<b>{row.k}, in use</b>" if row.k == report.k else str(row.k),
        number(row.sse, ",.0f"),
        shown(row.silhouette, ".3f"),
        shown(row.calinski_harabasz, ",.0f"),
        shown(row.davies_bouldin, ".3f"),
        number(row.stability),
        f"{report.search.elbow_counts.get(str(row.k), 0)} ×",
    )
