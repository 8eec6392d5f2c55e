"""Refuse an event whose time lies far ahead of its record's time."""

from datetime import datetime, timedelta

from schemas import times
from schemas.errors import BadEvent
from schemas.input_events import Event


def check_ahead(event: Event, at: datetime, max_ahead: timedelta) -> None:
    """Refuse a time far in the future: it would win over every correct value, or erase every correct fact.

    Args:
        event: the event.
        at: the record's time (UTC).
        max_ahead: how far a time in the event may lie ahead of the record's time.

    Raises:
        BadEvent: a time lies further ahead; the error names its field in Segue's own form.
    """
    for name in ("created_at", "updated_at", "erased_at"):
        value: datetime | None = getattr(event, name, None)
        if value is not None and value - at > max_ahead:
            raise BadEvent(
                name,
                f"{times.text(value)} is more than {_length_text(max_ahead)} ahead of the record's own time,"
                f" {times.text(at)}",
            )


def _length_text(length: timedelta) -> str:
    """A length of time, for people.

    >>> _length_text(timedelta(days=1)), _length_text(timedelta(minutes=90))
    ('1 day', '1:30:00')
    """
    return str(length).removesuffix(", 0:00:00")
