"""The day of a training: the date on which features of time are computed."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

from schemas.days import date_in

_OLD_DAYS = 30


def old_facts(last_at: datetime | None, day: date, zone: tzinfo) -> str | None:
    """Return a warning if the facts end long before the day, so that nobody ordered recently; else None.

    Args:
        last_at: the time of the last fact; None if there are no facts.
        day: the day of the features of time.
        zone: the time zone of the day.
    """
    if last_at is None or last_at.year < 2:
        return None
    last = date_in(last_at, zone)
    days = (day - last).days
    if days <= _OLD_DAYS:
        return None
    return (
        f"the last fact is of {last}, {days:,} days before {day}, the day of the features of time, so nobody"
        f" ordered recently: --as-of {last + timedelta(days=1)} trains as of the day after it"
    )
