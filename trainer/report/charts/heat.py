"""A grid of effects: a row for each trait, a column for each segment."""

from collections.abc import Sequence
from math import ceil

from markupsafe import Markup

from trainer.controls.traits import ProfileRow
from trainer.report.charts.html import number
from trainer.report.charts.svg import COLOURS, bar, cut, picture, text

_WIDTH, _LABEL = 440.0, 168.0
_ROW, _HEAD = 26.0, 24.0
_LEAST_FOR_WORDS = 38.0  # the width of a figure such as −0.51, in pixels
_DIGIT = 8.0
_FULL = 1.0  # the effect of the deepest colour
_DEEPEST = 0.6  # the highest opacity at which the figure stays readable


def heat_chart(rows: Sequence[ProfileRow], ids: Sequence[int]) -> Markup:
    """The grid, as SVG.

    Args:
        rows: at least one.
        ids: the segments' ids, in the order of the rows' effects.
    """
    step = (_WIDTH - _LABEL) / len(ids)
    room = _DIGIT * len(str(max(ids))) + 4
    # If the ids would overlap, only every second, third… id is written.
    parts = [
        text(_LABEL + (place + 0.5) * step, 15, str(ids[place]), anchor="middle", css="id")
        for place in range(0, len(ids), ceil(room / step))
    ]
    for place, row in enumerate(rows):
        top = _HEAD + place * _ROW
        parts.append(text(0, top + 17, _label(row), css="name"))
        for column, effect in enumerate(row.effects):
            left = _LABEL + column * step
            strength = min(abs(effect) / _FULL, 1.0) * _DEEPEST
            fill = COLOURS[0] if effect > 0 else COLOURS[1]
            cell = bar(left + 1, top + 1, step - 2, _ROW - 2, fill)
            cell.set("fill-opacity", f"{strength:.3f}")
            parts.append(cell)
            if step >= _LEAST_FOR_WORDS:
                parts.append(
                    text(left + step / 2, top + 17, number(effect, "+.2f"), anchor="middle", css="name")
                )
    return picture("What sets each segment apart, side by side", parts, _WIDTH, _HEAD + len(rows) * _ROW)


def _label(row: ProfileRow) -> str:
    """The last word of the feature and the value, or only the value if both do not fit."""
    room = _LABEL - 8
    words = row.feature.split("_")
    if row.value is None:
        return cut(" ".join(words), room)
    both = f"{words[-1]}: {row.value}"
    return both if cut(both, room) == both else cut(row.value, room)
