"""Dates in a time zone, as SQL that every dialect has: a warehouse may know other zones than Python."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from schemas.days import UTC_NAME, zone_of

_BEGAN = datetime(1800, 1, 1, tzinfo=UTC)  # no zone changed its offset before
_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


def local_date(at: str, time_zone: str, day: date, begin: date = date.min) -> str:
    """The date of a time in a zone, as an expression in DuckDB's dialect.

    It is right from ``begin`` to ``day``. For a time before or after them it may give another date before or
    after them.

    Args:
        at: a column of times in UTC.
        time_zone: the name of the zone.
        day: up to this date the offsets of the zone are written out.
        begin: from this date on.
    """
    if time_zone == UTC_NAME:
        return f"cast({at} as date)"
    every = offsets(time_zone, day)
    midnight = datetime.combine(begin, time())
    passed = [since for since, _ in every if since + 3 * _DAY < midnight]
    (_, first), *later = every[max(len(passed) - 1, 0) :]
    shift = str(-first)
    if later:
        # Most times are recent, so the newest offset comes first.
        branches = (f"when {at} >= timestamp '{since}' then {-offset}" for since, offset in reversed(later))
        shift = f"case {' '.join(branches)} else {-first} end"
    # A zone west of UTC would put the first hours of the year 1 into the year 0.
    return f"greatest(cast({at} - {shift} * interval '1 second' as date), cast('0001-01-01' as date))"


@cache
def offsets(time_zone: str, day: date) -> tuple[tuple[datetime, int], ...]:
    """The offsets of a zone from UTC in seconds, each with the time in UTC since which it holds.

    The first holds since ever. Two changes within one day would not be found; no zone has such changes.

    Args:
        time_zone: the name of the zone.
        day: offsets that begin four days after this date, or later, are left out.
    """
    zone = zone_of(time_zone)

    def offset(at: datetime) -> int:
        of_zone = at.astimezone(zone).utcoffset()
        assert of_zone is not None
        return round(of_zone.total_seconds())

    end = datetime.combine(min(day, date(9999, 12, 27)), time(), UTC) + 3 * _DAY
    found = [(_BEGAN.replace(tzinfo=None), offset(_BEGAN))]
    at = _BEGAN
    while at < end:
        if offset(at + _DAY) != found[-1][1]:
            same, other = at, at + _DAY
            while other - same > _SECOND:
                middle = same + (other - same) // _SECOND // 2 * _SECOND
                same, other = (middle, other) if offset(middle) == found[-1][1] else (same, middle)
            found.append((other.replace(tzinfo=None), offset(other)))
        at += _DAY
    return tuple(found)
