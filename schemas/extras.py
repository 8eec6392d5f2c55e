"""How to install an extra of Segue."""

import sys


def how_to_install(extra: str) -> str:
    """Return the command that installs an extra. No package index has Segue, so it needs a clone.

    >>> how_to_install("trainer")
    "in a clone of Segue run: ...python... -m pip install '.[trainer]'"
    """
    return f"in a clone of Segue run: {sys.executable} -m pip install '.[{extra}]'"
