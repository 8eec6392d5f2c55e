"""The handler of refused facts for tests without refused facts."""

from typing import NoReturn

from schemas.input_events import Event


def refuse_none(_: Event, error: Exception) -> NoReturn:
    """Raise the error: every fact must apply."""
    raise error
