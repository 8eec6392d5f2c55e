"""What is wrong with a command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import BadSetting, SegueError


class BadUsage(SegueError):
    """Arguments that do not go together, or an option's value that cannot be used."""

    exit_code = 2


def bad_option(name: str, value: object, fix: str) -> BadUsage:
    """An option's value that cannot be used.

    >>> str(bad_option("--rate", 0, "give events a second, above 0"))
    'option --rate is 0: give events a second, above 0'
    """
    return BadUsage(f"option {name} is {value!r}: {fix}")


@contextmanager
def options(*names: str) -> Iterator[None]:
    """What is wrong with a value of these names is told of the command's option, since no settings file has them.

    >>> with options("k_max"):
    ...     raise BadSetting("k_max", 1, "use at least 2 segments")
    Traceback (most recent call last):
    segue.config.command_line.BadUsage: option --k-max is 1: use at least 2 segments

    Raises:
        BadUsage: instead of a BadSetting of one of them.
    """
    try:
        yield
    except BadSetting as error:
        if error.name not in names:
            raise
        raise bad_option(f"--{error.name.replace('_', '-')}", error.value, error.fix) from None
