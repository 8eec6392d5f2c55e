"""A gender that is spelled in several ways."""

from collections.abc import Sequence

from trainer.proposal.looks.sql_names import literal

_WOMEN = ("f", "fem", "w", "weib", "woman", "frau")
_MEN = ("m", "mal", "männ", "maenn", "mann", "man")


def spellings(values: Sequence[str]) -> dict[str, list[str]]:
    """The spellings of F and M; empty if each has one, so that they can stay as they are.

    >>> spellings(["F", "Female", "M", "U"])
    {'F': ['F', 'Female'], 'M': ['M']}
    >>> spellings(["Female", "Male"])
    {}
    """
    found: dict[str, list[str]] = {"F": [], "M": []}
    for value in values:
        word = value.lower()
        if word in _WOMEN or word.startswith(_WOMEN[1:2] + _WOMEN[3:]):
            found["F"].append(value)
        elif word in _MEN or word.startswith(_MEN[1:]):
            found["M"].append(value)
    return found if all(found.values()) and any(len(each) > 1 for each in found.values()) else {}


def gender_sql(x: str, known: dict[str, list[str]]) -> str:
    """The one spelling of each, in SQL."""
    cases = " ".join(
        f"when {x} in ({', '.join(map(literal, values))}) then {literal(one)}"
        for one, values in known.items()
    )
    return f"case {cases} end"
