"""Errors about a command's options and arguments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from schemas.errors import BadSetting, SegueError


class BadUsage(SegueError):
    """Some arguments contradict each other, or an option's value cannot be used."""

    exit_code = 2


class BadOption(BadUsage):
    """An option's value cannot be used."""

    def __init__(self, name: str, value: object, fix: str) -> None:
        super().__init__(f"option {name} is {value!r}: {fix}")
        self.name, self.value, self.fix = name, value, fix


def bad_option(name: str, value: object, fix: str) -> BadOption:
    """Build the error for an option whose value cannot be used.

    Args:
        name: the option, with its dashes.
        value: the value that was given.
        fix: what to do, as an instruction.

    >>> str(bad_option("--rate", 0, "give events a second, above 0"))
    'option --rate is 0: give events a second, above 0'
    """
    return BadOption(name, value, fix)


@contextmanager
def options(*names: str) -> Iterator[None]:
    """Report a bad value of these names as an error of the command's option.

    These names are options only, and no settings file has them. So the error must not speak of a setting.

    >>> with options("k_max"):
    ...     raise BadSetting("k_max", 1, "use at least 2 segments")
    Traceback (most recent call last):
    segue.config.command_line.BadOption: option --k-max is 1: use at least 2 segments

    Raises:
        BadUsage: the block raised a BadSetting with one of these names.
    """
    try:
        yield
    except BadSetting as error:
        if error.name not in names:
            raise
        raise bad_option(f"--{error.name.replace('_', '-')}", error.value, error.fix) from None
