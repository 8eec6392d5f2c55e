"""Numbers and times of CSV files in another form, as declared by ``[csv]``, in the form of events.

The rules for numbers and times then hold as for any other table. A value that is not of the declared form
keeps its text and gets a mark at its end: so that it is rejected, even where it has the form of events, and
can still be shown as it stands in the file.
"""

import re
from typing import Literal

from sqlglot import exp

from schemas.inputs.fields_read import FieldsRead
from trainer.warehouse.queries.parsed_sql import filled
from trainer.warehouse.tables.reading_rules import Csv
from trainer.warehouse.tables.sql_literals import literal

Kind = Literal["number", "time", "date"]

# A control character, which no number and no time has. It counts as a blank, so that a blank field is null.
_MARK = "\x1f"
# Besides the point: apostrophes (Switzerland) and blanks (France; the two narrow ones do not break the line).
_MARKS_BESIDE_A_COMMA = ".'’ \u00a0\u202f"
_PLAIN = Csv()
_NUMBERS = frozenset({"age", "price", "quantity"})
_TIMES = frozenset({"created_at"})
# A part of a form that reads a time of day.
_OF_CLOCK = re.compile("%[-0]?[HIMSTXcfnpg]")
# The %z of a form, behind a sign that is not half of %%.
_OFFSET = re.compile("^((?:[^%]|%[^z])*)%z")
_OFFSET_TEXT = "[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?"
# What the parts of a form may read; the others read digits.
_WIDE = {**dict.fromkeys("aAbBp", "[A-Za-z]+"), **dict.fromkeys(" \t\n\r", r"\s+"), "%": "%"}


def kind_of(name: str, read: FieldsRead) -> Kind | None:
    """What a column holds, by its name in the queries; None for text.

    >>> from schemas.inputs.fields_read import EVERY_FIELD
    >>> [kind_of(name, EVERY_FIELD) for name in ("price", "created_at", "country")]
    ['number', 'time', None]
    """
    if name in _NUMBERS or any(field.name == name and field.type == "number" for field in read.own):
        return "number"
    if any(field.name == name and field.type == "date" for field in read.own):
        return "date"
    return "time" if name in _TIMES else None


def as_declared(own: exp.Expression, kind: Kind | None, form: Csv) -> exp.Expression:
    """A column of a CSV file as text in the form of events, in DuckDB's dialect.

    Args:
        own: the column.
        kind: what it holds; None: text, which stays as it is.
        form: how the file is written.
    """
    if kind == "number" and (form.decimal, form.thousands) != (_PLAIN.decimal, _PLAIN.thousands):
        return filled(_number(form), own)
    if kind == "time" and form.dates:
        return filled(_time(form.dates), own)
    if kind == "date" and form.dates:
        return filled(_date(form.dates), own)
    return own


def as_written(value: str) -> str:
    """A value of a rejected row as it stands in the file: without the mark."""
    return value.removesuffix(_MARK)


def thousands_of(form: Csv) -> str:
    """The characters that may stand between groups of three digits; one number uses one of them.

    >>> thousands_of(Csv()), thousands_of(Csv(thousands=",")), thousands_of(Csv(decimal=","))[:2]
    ('', ',', ".'")
    """
    if form.thousands is not None:
        return form.thousands
    return _MARKS_BESIDE_A_COMMA if form.decimal == "," else ""


def _number(form: Csv) -> str:
    marks = thousands_of(form)
    grouped = "".join(f"|[0-9]{{1,3}}([\\x{{{ord(mark):x}}}][0-9]{{3}})+" for mark in marks)
    pattern = f"^[+-]?([0-9]+{grouped})([{form.decimal}][0-9]+)?([eE][+-]?[0-9]+)?$"
    digits = f"translate(x, {_characters(marks)}, '')" if marks else "x"
    return (
        f"case when regexp_matches(x, {literal(pattern)}) then replace({digits}, '{form.decimal}', '.') "
        f"else x || {_characters(_MARK)} end"
    )


def _time(forms: tuple[str, ...]) -> str:
    return f"coalesce({', '.join(map(_text_of_time, forms))}, x || {_characters(_MARK)})"


def _date(forms: tuple[str, ...]) -> str:
    """A form without a time of day gives a date, which lies in no zone."""
    days = [form for form in forms if not _OF_CLOCK.search(form)]
    times = [form for form in forms if _OF_CLOCK.search(form)]
    texts = [f"left({_text_of_time(form)}, 10)" for form in days] + [_text_of_time(form) for form in times]
    return f"coalesce({', '.join(texts)}, x || {_characters(_MARK)})"


def _text_of_time(form: str) -> str:
    """The time that is written in x, as text; null if x is not of the form or the time does not exist.

    Each form is read alone: with %z, DuckDB counts 31.02. as 2 March, under the other forms of a list too.
    """
    read = f"try_strptime(x, [{literal(form)}])"
    exists = read
    if found := _OFFSET.search(form):
        before, after = form[: found.end(1)], form[found.end() :]
        pattern = literal(rf"^\s*({_pattern(before)}){_OFFSET_TEXT}({_pattern(after)})\s*$")
        local = f"regexp_extract(x, {pattern}, 1) || regexp_extract(x, {pattern}, 2)"
        exists = f"try_strptime({local}, [{literal((before + after).strip())}])"
    # %Y reads the two digits of 16 as the year 16.
    return f"case when {exists} >= timestamp '1000-01-01 00:00:00' then cast({read} as text) end"


def _pattern(form: str) -> str:
    """The regular expression of a part of a form; it is wider than the form."""
    parts = re.split(r"(%-?.|\s+)", form)
    return "".join(
        _WIDE.get(part[-1:], "[0-9]+") if n % 2 else re.escape(part) for n, part in enumerate(parts)
    )


def _characters(text: str) -> str:
    """A text that is safe in a file of SQL, whatever its blanks and control characters."""
    return " || ".join(f"chr({ord(character)})" for character in text)
