"""How an optional part of Segue is installed."""

import sys


def how_to_install(extra: str) -> str:
    """What to do where a package of an extra is missing; no package index has Segue, so it takes a clone.

    >>> how_to_install("trainer")
    "in a clone of Segue run: ...python... -m pip install '.[trainer]'"
    """
    return f"in a clone of Segue run: {sys.executable} -m pip install '.[{extra}]'"
