"""Times: RFC 3339 text with an offset, as UTC datetimes, cut (not rounded) to microseconds.

Source: RFC 3339, section 5.6.
"""

import re
from datetime import UTC, datetime, timedelta

_LENGTH = re.compile(r"([0-9]{1,20})([smhd])")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXPECTED = "is not an RFC 3339 time such as 2024-01-31T09:30:00Z"

# The form that :func:`text` writes. Python's own parser reads it much faster, but takes other forms too.
_USUAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z")
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]"
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))?"
)


def parse(text: str) -> datetime:
    """Read an RFC 3339 time.

    >>> parse("2024-02-29T12:00:00.1234569+02:00").isoformat()
    '2024-02-29T10:00:00.123456+00:00'

    Raises:
        ValueError: the text is no RFC 3339 time, has no offset, or lies outside the years 1 to 9999 in UTC.
    """
    if _USUAL.fullmatch(text) is not None:
        try:
            return datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f"is not a time that exists ({error})") from None
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(EXPECTED)
    year, month, day, hour, minute, second, fraction, zulu, sign, off_hour, off_minute = match.groups()
    if zulu is None and sign is None:
        raise ValueError("has no offset: end it with Z or, for example, +02:00")
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    try:
        local = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), micros, tzinfo=UTC
        )
        if zulu:
            return local
        if int(off_hour) > 23 or int(off_minute) > 59:
            raise ValueError("offset out of range")
        offset = timedelta(hours=int(off_hour), minutes=int(off_minute))
        return local - offset if sign == "+" else local + offset
    except (ValueError, OverflowError) as error:
        raise ValueError(f"is not a time that exists ({error})") from None


def text(at: datetime) -> str:
    """Write a time as RFC 3339 text in UTC; Segue writes all times this way.

    >>> text(datetime(2024, 1, 31, 9, 30, tzinfo=UTC))
    '2024-01-31T09:30:00Z'
    """
    return at.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def parse_length(text: str) -> timedelta:
    """Read a length of time: a whole number of seconds, minutes, hours or days.

    >>> parse_length("90m")
    datetime.timedelta(seconds=5400)

    Raises:
        ValueError: the text is no length of time, or the length is more than 999,999 days.
    """
    match = _LENGTH.fullmatch(text)
    if match is None:
        raise ValueError("use a whole number and s, m, h or d, such as 90m or 1d")
    try:
        return timedelta(seconds=int(match[1]) * {"s": 1, "m": 60, "h": 3_600, "d": 86_400}[match[2]])
    except OverflowError:
        raise ValueError("use at most 999999d") from None


def from_millis(millis: int) -> datetime:
    """Return the time of a Kafka record's timestamp, milliseconds since 1970.

    A producer may write any number. A time outside the years 1 to 9999 becomes the nearest time inside.
    """
    try:
        return EPOCH + timedelta(milliseconds=millis)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if millis > 0 else datetime.min.replace(tzinfo=UTC)
