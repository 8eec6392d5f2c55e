"""What is wrong with a command line."""

from __future__ import annotations

from schemas.errors import SegueError


class BadUsage(SegueError):
    """Arguments that do not go together, or an option's value that cannot be used."""

    exit_code = 2


def bad_option(name: str, value: object, fix: str) -> BadUsage:
    """An option's value that cannot be used.

    >>> str(bad_option("--rate", 0, "give events a second, above 0"))
    'option --rate is 0: give events a second, above 0'
    """
    return BadUsage(f"option {name} is {value!r}: {fix}")
