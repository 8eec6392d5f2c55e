"""The section on the data: rows read, rows left out, missing values, settings."""

from collections.abc import Iterator

from markupsafe import Markup

from trainer.report.charts.html import render, words
from trainer.report.report_numbers import Report

_K = {
    "preset": "{}, the preset's",
    "setting": "{}, by --k",
    "elbow": "the elbow, {}",
    "release": "{}, of the release in use",
}


def data(report: Report) -> Markup:
    """The HTML of the cards."""
    return render("data.html", report=report, users=list(_users(report)), k=_K[report.k_by].format(report.k))


def _users(report: Report) -> Iterator[tuple[str, int]]:
    """Yield each line of the table of users: a reason and its number of users."""
    users = report.users
    yield "read", users.read
    yield "left out: no order", users.without_orders
    for name, count in users.missing.items():
        if count:
            yield f"left out: no {words(name)}", count
    for name, count in users.unseen.items():
        if count:
            yield f"left out: {words(name)} new to the kept space", count
    yield "trained on", users.used
