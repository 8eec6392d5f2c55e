"""What tests give a fold that refuses nothing."""

from typing import NoReturn

from schemas.input_events import Event


def refuse_none(_: Event, error: Exception) -> NoReturn:
    """Every fact has to apply."""
    raise error
