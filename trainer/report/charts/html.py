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


def words(name: str) -> str:
    """A feature's name in words."""
    return name.replace("_", " ")


def _cut(value: object) -> str:
    """A value from the shop's data as text; a long text is cut (``report.json`` has it whole)."""
    text = str(value)
    return text if len(text) <= _VALUE_CHARACTERS else text[: _VALUE_CHARACTERS - 1] + "…"


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"colour": colour, "counted": counted, "cut": _cut, "number": number, "words": words}
