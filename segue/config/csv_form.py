"""Parses the setting ``csv``: how the warehouse's CSV files are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from schemas.inputs.forms.written_times import HALF_A_DAY
from segue.config.setting_texts import table_of, text_list

# Those of DuckDB's strptime that read a part of a time; %% is the sign itself.
_DIRECTIVES = frozenset("YymdbBHIMSfpzjaA%")
_DIRECTIVE = re.compile(r"%(-?.|$)", re.DOTALL)
_DATE = ("Yy", "mbB", "d")


def csv_table(value: object) -> dict[str, str | tuple[str, ...]]:
    """Return the form of CSV files, from a table or from text with a JSON object.

    >>> csv_table({"separator": ";", "nulls": ["NULL"]})
    {'separator': ';', 'nulls': ('NULL',)}

    Raises:
        ValueError: the value is neither, a name is unknown, or a field's value cannot be used.
    """
    table = table_of(value, '{"separator": ";"}')
    if unknown := [name for name in table if name not in _FIELDS]:
        *others, last = _FIELDS
        raise ValueError(f"there is no {unknown[0]}: the table has {', '.join(others)} and {last}")
    form = {name: _FIELDS[name](given) for name, given in table.items()}
    decimal, thousands = form.get("decimal", "."), form.get("thousands")
    if decimal == thousands:
        raise ValueError(f"decimal and thousands are both {decimal!r}: give each its own mark")
    return form


def _separator(value: object) -> str:
    if not isinstance(value, str) or len(value) != 1 or value in '"\r\n':
        raise ValueError('give the separator as one character, such as ";" or "\\t"')
    return value


def _encoding(value: object) -> str:
    try:
        " ".encode(str(value))
    except (LookupError, ValueError):
        raise ValueError(
            f'{value!r} is no encoding of text that Python knows: give one such as "cp1252" or "utf-16"'
        ) from None
    return str(value)


def _decimal(value: object) -> str:
    if value not in (".", ","):
        raise ValueError('give decimal as "." or ","')
    return str(value)


def _thousands(value: object) -> str:
    if not isinstance(value, str) or len(value) > 1 or value in ('"', "-", "+") or value.isalnum():
        raise ValueError('give thousands as one character, such as ",", or "" for none')
    return value


def _dates(value: object) -> tuple[str, ...]:
    forms = (value,) if isinstance(value, str) else text_list(value)
    for form in forms:
        letters = [found.removeprefix("-") for found in _DIRECTIVE.findall(form)]
        if wrong := [letter for letter in letters if letter not in _DIRECTIVES]:
            raise ValueError(f"in {form!r} %{wrong[0]} is no part of a time: {_EXAMPLE}")
        # With %H, DuckDB reads %p.
        if "I" in letters and "p" not in letters:
            raise ValueError(f"in {form!r} {HALF_A_DAY}")
        parts = ("yY", "j") if "j" in letters else _DATE
        if not all(any(letter in part for letter in letters) for part in parts):
            raise ValueError(f"{form!r} lacks the year, the month or the day: {_EXAMPLE}")
    return forms


_EXAMPLE = 'write dates as for strptime, such as "%d.%m.%Y %H:%M" or "%m/%d/%Y"'
_FIELDS: Mapping[str, Callable[[object], str | tuple[str, ...]]] = {
    "separator": _separator,
    "encoding": _encoding,
    "decimal": _decimal,
    "thousands": _thousands,
    "dates": _dates,
    "nulls": text_list,
}
