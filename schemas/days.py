"""Days: calendar dates in a time zone, for features of time."""

import re
from datetime import UTC, date, datetime, time, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

from schemas import times

UTC_NAME = "UTC"

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@cache
def zone_of(name: str) -> tzinfo:
    """Return the time zone with a name of the IANA database.

    Raises:
        ValueError: there is no such zone.
    """
    if name == UTC_NAME:
        return UTC  # needs no database
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError(
            "use a name of the IANA time zone database, such as Europe/Berlin or America/New_York"
        ) from None


def date_in(at: datetime, zone: tzinfo) -> date:
    """Return the date of a time in a zone; at the ends of the calendar the nearest date that exists.

    >>> date_in(datetime(2024, 3, 1, 23, 30, tzinfo=UTC), zone_of("Europe/Berlin"))
    datetime.date(2024, 3, 2)
    """
    try:
        return at.astimezone(zone).date()
    except OverflowError:
        return date.max if at.year > 1 else date.min


def bound_text(at: str, zone: tzinfo) -> str:
    """Return a bound of a training for people: a midnight of the zone as its date, another time as it is.

    Args:
        at: an RFC 3339 time.
        zone: the zone in which a day of an option began.

    >>> bound_text("2025-05-31T22:00:00Z", zone_of("Europe/Warsaw"))
    '2025-06-01'
    >>> bound_text("2025-06-01T09:30:00Z", UTC)
    '2025-06-01T09:30:00Z'
    """
    moment = times.parse(at).astimezone(zone)
    return moment.date().isoformat() if moment.time() == time() else at


def parse_date(text: str) -> date | None:
    """Read a date such as 2024-01-31; None if the text has another form.

    Raises:
        ValueError: there is no such date.
    """
    return date.fromisoformat(text) if _DATE.fullmatch(text) else None
