"""The one error of this package."""

from __future__ import annotations

from schemas.errors import SegueError


class ServiceTrouble(SegueError):
    """A server cannot be found, started or reached.

    Attributes:
        install: the missing packages, by their names in Debian; may be empty.
    """

    exit_code = 5

    def __init__(self, message: str, install: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.install = install
