"""The HTML that the sections share: cards, tables, values, numbers."""

from collections.abc import Iterable, Sequence
from html import escape
from math import isfinite

from trainer.report.svg import colour

_VALUE_CHARACTERS = 80
_MANY_DIGITS = 1e15  # from here on a double has not all of them


def card(title: str, *content: str, wide: bool = False) -> str:
    """A box with a heading; ``title`` and ``content`` are HTML."""
    kind = "card wide" if wide else "card"
    return f'<section class="{kind}"><h3>{title}</h3>\n' + "\n".join(content) + "</section>"


def soft(words: str) -> str:
    """A paragraph of explanation; HTML."""
    return f'<p class="soft">{words}</p>'


def value(text: object) -> str:
    """A value of the shop's: never markup, and whatever its direction of writing the rest keeps its own.

    A very long one is cut; ``report.json`` has it whole.
    """
    shown = str(text)
    if len(shown) > _VALUE_CHARACTERS:
        shown = shown[: _VALUE_CHARACTERS - 1] + "…"
    return f"<bdi>{escape(shown)}</bdi>"


def words(name: str) -> str:
    """A feature's name in words."""
    return escape(name.replace("_", " "))


def badge(place: int, id_: int, name: str) -> str:
    """A segment with its colour."""
    return f'<span class="swatch" style="background:{colour(place)}"></span>{id_} · {value(name)}'


def number(figure: float, form: str = ".3f") -> str:
    """A number with a true minus sign."""
    if not isfinite(figure):
        return "–"
    # Such as the Calinski-Harabasz index of segments without any spread.
    return f"{figure:{form if abs(figure) < _MANY_DIGITS else '.2e'}}".replace("-", "−")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: int = 1, css: str = "") -> str:
    """A table; the cells are HTML.

    Args:
        head: the columns' names; all empty leaves the line out.
        rows: their first cell names the row.
        numbers: how many columns, counted from the right, hold numbers.
        css: a class.
    """
    first = len(head) - numbers

    def cells(kind: str, row: Sequence[str]) -> str:
        found = []
        for place, cell in enumerate(row):
            tag = "th" if kind == "th" or place == 0 else "td"
            scope = ' scope="col"' if kind == "th" else ' scope="row"' if place == 0 else ""
            css_of = ' class="number"' if place >= first else ""
            found.append(f"<{tag}{scope}{css_of}>{cell}</{tag}>")
        return f"<tr>{''.join(found)}</tr>"

    top = f"<thead>{cells('th', head)}</thead>" if any(head) else ""
    body = "".join(cells("td", row) for row in rows)
    return f'<div class="scroll"><table class="{css}">{top}<tbody>{body}</tbody></table></div>'
