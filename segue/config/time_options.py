"""Parses times in options: a day, or a time in RFC 3339."""

from __future__ import annotations

import re
from datetime import datetime

from schemas import times
from segue.config.command_line import bad_option

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def time_option(option: str, text: str | None) -> datetime | None:
    """Parse the time of an option; a day means its midnight in UTC.

    Args:
        option: the option's name with its dashes, for the message.
        text: a day or a time in RFC 3339; None if the option was not given.

    Returns:
        The time in UTC; None if the option was not given.

    >>> time_option("--since", "2024-12-01")
    datetime.datetime(2024, 12, 1, 0, 0, tzinfo=datetime.timezone.utc)

    Raises:
        BadUsage: the text is neither a day nor a time.
    """
    if text is None:
        return None
    try:
        return times.parse(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    except ValueError as error:
        raise bad_option(
            option, text, f"it {error}; give a day such as 2024-12-01, or 2024-12-01T09:30:00Z"
        ) from None
