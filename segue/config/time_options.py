"""Parses times in options: a day, or a time in RFC 3339."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

from schemas import times
from segue.config.command_line import bad_option

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def time_option(option: str, text: str | None, zone: tzinfo = UTC) -> datetime | None:
    """Parse the time of an option; a day means its midnight in a time zone.

    Args:
        option: the option's name with its dashes, for the message.
        text: a day or a time in RFC 3339; None if the option was not given.
        zone: the time zone of a day.

    Returns:
        The time in UTC; None if the option was not given.

    >>> time_option("--since", "2024-12-01")
    datetime.datetime(2024, 12, 1, 0, 0, tzinfo=datetime.timezone.utc)

    Raises:
        BadUsage: the text is neither a day nor a time.

    >>> from schemas.days import zone_of
    >>> time_option("--since", "2024-12-01", zone_of("Pacific/Auckland"))
    datetime.datetime(2024, 11, 30, 11, 0, tzinfo=datetime.timezone.utc)
    """
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            return _midnight(text).replace(tzinfo=zone).astimezone(UTC)
        return times.parse(text)
    except ValueError as error:
        raise bad_option(
            option, text, f"it {error}; give a day such as 2024-12-01, or 2024-12-01T09:30:00Z"
        ) from None


def _midnight(day: str) -> datetime:
    try:
        return datetime.fromisoformat(day)
    except ValueError:
        raise ValueError("is no date of the calendar") from None
