"""Fills in the templates of the report's sections; every value that is not ``Markup`` is escaped."""

from math import isfinite
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from schemas.counted import counted
from trainer.report.charts.svg import colour

_VALUE_CHARACTERS = 80
_MANY_DIGITS = 1e15  # a larger double does not hold all its digits


def render(template: str, **values: object) -> Markup:
    """The HTML of a template in `templates/`.

    Args:
        template: the file's name.
        values: all values that the template names.
    """
    html = _TEMPLATES.get_template(template).render(values)
    return Markup(html)  # noqa: S704 - the template has escaped its values


def number(figure: float | None, form: str = ".3f") -> str:
    """A number with a true minus sign; a dash if it is None or not finite."""
    if figure is None or not isfinite(figure):
        return "–"
    # Large numbers occur: the Calinski-Harabasz index of segments without any spread.
    return f"{figure:{form if abs(figure) < _MANY_DIGITS else '.2e'}}".replace("-", "−")


def quantity(figure: float | None, currency: str = "") -> str:
    """A number from the shop's data with thousands separators, and as many digits as people read.

    >>> quantity(12_345.67), quantity(2.0), quantity(0.12345), quantity(31.456, "€")
    ('12,346', '2', '0.123', '€31.46')
    """
    if currency:
        return money(figure, currency)
    if figure is None or not isfinite(figure):
        return "–"
    size = abs(figure)
    if 0 < size < 1 or size >= _MANY_DIGITS:
        return number(figure, ".3g")
    digits = 0 if size >= 1_000 else 1 if size >= 10 else 2
    whole, point, rest = number(figure, f",.{digits}f").partition(".")
    return whole + (point + rest).rstrip("0").rstrip(".")


def money(figure: float | None, currency: str = "") -> str:
    """An amount, after its currency: a code with a space that does not break, a sign without a space.

    >>> money(1234.5, "€"), money(-3.5), money(12_345)
    ('€1,234.50', '−3.50', '12,345')
    """
    amount = number(figure, ",.2f" if figure is None or abs(figure) < 10_000 else ",.0f")
    space = "\N{NO-BREAK SPACE}" if currency[-1:].isalpha() else ""
    return f"{currency}{space}{amount}"


def share(part: float) -> str:
    """A share of 1 as a percentage, with a decimal if it is below 1%.

    >>> share(0.256), share(0.0047)
    ('26%', '0.5%')
    """
    return f"{part:.0%}" if part == 0 or part >= 0.01 else f"{part:.1%}"


def words(name: str) -> str:
    """A feature's name in words."""
    return name.replace("_", " ")


def _cut(value: object) -> str:
    """A value from the shop's data as text; a long text is cut (``report.json`` has it whole)."""
    text = str(value)
    return text if len(text) <= _VALUE_CHARACTERS else text[: _VALUE_CHARACTERS - 1] + "…"


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {
    "capitalized": _capitalized,
    "colour": colour,
    "counted": counted,
    "cut": _cut,
    "money": money,
    "number": number,
    "quantity": quantity,
    "share": share,
    "words": words,
}
