"""The data and the settings: rows read and left out, values missing."""

from html import escape

from trainer.report.html import card, soft, table, value, words
from trainer.report.numbers import Report

_K = {
    "preset": "{}, the preset's",
    "setting": "{}, by --k",
    "elbow": "the elbow, {}",
    "release": "{}, of the release in use",
}


def data(report: Report) -> str:
    """The cards."""
    cards = [card("Users read and left out", _users(report)), card("Users without a value", _nulls(report))]
    if report.rejected:
        cards.append(card("Rows of the warehouse left out", _rejected(report)))
    return "\n".join([*cards, card("Settings", _settings(report))])


def _users(report: Report) -> str:
    users = report.users
    rows = [("read", users.read), ("left out: no order", users.without_orders)]
    rows += [(f"left out: no {words(name)}", count) for name, count in users.missing.items() if count]
    rows += [
        (f"left out: {words(name)} new to the kept space", count)
        for name, count in users.unseen.items()
        if count
    ]
    rows.append(("trained on", users.used))
    note = soft("A user left out for two reasons stands in both lines.") if len(rows) > 4 else ""
    return table(("users", "number"), ((label, f"{count:,}") for label, count in rows)) + note


def _nulls(report: Report) -> str:
    rows = (
        (words(name), f"{count:,} ({count / report.users.read:.1%})")
        for name, count in report.users.nulls.items()
    )
    return table(("feature", "of all users read"), rows)


def _rejected(report: Report) -> str:
    rows = ((f"{escape(each.table)}: {value(each.reason)}", f"{each.rows:,}") for each in report.rejected)
    return table(("table and reason", "rows"), rows)


def _rare(share: float) -> str:
    return f"; values of less than {share:.1%} of the users share one" if share else ""


def _settings(report: Report) -> str:
    settings = report.settings
    statuses = ", ".join(map(value, settings.exclude_statuses)) or "none"
    rows = (
        ("features", ", ".join(map(words, settings.names))),
        ("preset", settings.preset),
        ("encoding", f"{settings.encoding}, {report.columns:,} columns{_rare(settings.rare)}"),
        ("scaling", settings.scaling),
        ("components", str(settings.components)),
        ("k", _K[report.k_by].format(report.k)),
        ("orders left out by status", statuses),
        ("space", f"<code>{escape(report.space)}</code>"),
    )
    return table(("", ""), rows, numbers=0, css="settings")
