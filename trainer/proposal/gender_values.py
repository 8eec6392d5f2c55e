"""A gender that is spelled in several ways."""

from collections.abc import Sequence

from trainer.warehouse.tables.sql_literals import literal

_LETTERS = {"f": "F", "w": "F", "m": "M"}
_BEGINNINGS = {"F": ("fem", "weib", "wom", "frau"), "M": ("mal", "män", "maen", "man", "men")}


def spellings(values: Sequence[str]) -> dict[str, list[str]]:
    """The spellings of F and M; empty if each has one, so that they can stay as they are.

    >>> spellings(["F", "Female", "M", "U"])
    {'F': ['F', 'Female'], 'M': ['M']}
    >>> spellings(["F", "Women", "M", "Men"])
    {'F': ['F', 'Women'], 'M': ['M', 'Men']}
    >>> spellings(["Female", "Male"])
    {}
    """
    found: dict[str, list[str]] = {"F": [], "M": []}
    for value in values:
        word = value.lower()
        begins = (one for one, beginnings in _BEGINNINGS.items() if word.startswith(beginnings))
        one = _LETTERS.get(word) or next(begins, None)
        if one is not None:
            found[one].append(value)
    return found if all(found.values()) and any(len(each) > 1 for each in found.values()) else {}


def gender_sql(x: str, known: dict[str, list[str]]) -> str:
    """The one spelling of each, in SQL."""
    cases = " ".join(
        f"when {x} in ({', '.join(map(literal, values))}) then {literal(one)}"
        for one, values in known.items()
    )
    return f"case {cases} end"
