"""Times of a shop's columns in PostgreSQL, which has no strptime."""

import re
from collections.abc import Sequence

from trainer.warehouse.tables.sql_literals import literal

# By strptime's signs: the word of to_timestamp, and the regular expression of what it reads.
_PARTS = {
    "%Y": ("YYYY", "[0-9]{4}"),
    "%y": ("YY", "[0-9]{2}"),
    "%m": ("MM", "[0-9]{1,2}"),
    "%d": ("DD", "[0-9]{1,2}"),
    "%b": ("Mon", "[A-Za-z]{3}"),
    "%B": ("FMMonth", "[A-Za-z]+"),
    "%H": ("HH24", "[0-9]{1,2}"),
    "%I": ("HH12", "[0-9]{1,2}"),
    "%M": ("MI", "[0-9]{2}"),
    "%S": ("SS", "[0-9]{2}"),
    "%f": ("US", "[0-9]{1,6}"),
    "%p": ("AM", "[AaPp][Mm]"),
    # Without quotes it would be the suffix of an ordinal.
    "T": ('"T"', "T"),
    ".": (".", "[.]"),
}
_PART = re.compile("%.|.")


def postgres_time(x: str, forms: Sequence[str]) -> str:
    """A text as a timestamp, null if it has no form: to_timestamp ignores what stands behind its form.

    Args:
        x: the SQL of the text.
        forms: as for strptime.

    >>> postgres_time("d", ["%d.%m.%y"])
    "case when d ~ '^[0-9]{1,2}[.][0-9]{1,2}[.][0-9]{2}$' then to_timestamp(d, 'DD.MM.YY')::timestamp end"
    """
    cases = (
        f"when {x} ~ {literal(f'^{_translated(form, 1)}$')}"
        f" then to_timestamp({x}, {literal(_translated(form, 0))})::timestamp"
        for form in forms
    )
    return f"case {' '.join(cases)} end"


def _translated(form: str, number: int) -> str:
    return "".join(_PARTS.get(part, (part, part))[number] for part in _PART.findall(form))
