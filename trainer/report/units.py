"""Which numbers of the report are money."""

from trainer.report.report_numbers import Report

_MONEY = ("price", "order_value")


def currency_of(report: Report, name: str) -> str:
    """The currency beside a feature's values; empty if they are no money, or if no currency is set."""
    feature = next((each for each in report.settings.features if each.name == name), None)
    if feature is None or not feature.numeric or feature.counts:
        return ""
    return report.shop.currency if feature.source.rpartition(".")[2] in _MONEY else ""
