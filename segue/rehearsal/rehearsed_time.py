"""Parses the length of a rehearsal, and checks that the log reaches back so far."""

from __future__ import annotations

from datetime import datetime, timedelta

from schemas import times
from segue.config.command_line import BadUsage, bad_option

_UNITS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)))


def rehearsed_since(option: str, text: str, now: datetime) -> datetime:
    """Return the time at which the last days begin.

    Args:
        option: the option with its dashes, for the message.
        text: the length, such as ``30d``.
        now: the present time.

    >>> rehearsed_since("--rehearse", "30d", times.parse("2024-03-31T00:00:00Z")).date()
    datetime.date(2024, 3, 1)

    Raises:
        BadUsage: the text is no length of time, or 0, or reaches back too far.
    """
    fix = "give a length such as 30d or 12h"
    try:
        length = times.parse_length(text)
    except ValueError:
        raise bad_option(option, text, fix) from None
    if not length:
        raise bad_option(option, text, f"nothing can happen in no time; {fix}")
    try:
        return max(now - length, times.EPOCH)
    except OverflowError:
        return times.EPOCH


def check_log_reaches(option: str, since: datetime, now: datetime, begin: datetime | None) -> None:
    """Check that the log has the whole window.

    Args:
        option: the option with its dashes, for the message.
        since: the time at which the window begins.
        now: the present time.
        begin: the time of the log's first event, or of the bootstrap that it continues; None if it has no
            event.

    Raises:
        BadUsage: the window begins before the log.
    """
    if begin is None:
        raise BadUsage(f"there is nothing for {option}: the topics have no event yet; leave it out")
    if since < begin:
        raise BadUsage(
            f"option {option} reaches back to {_seconds(since)}, but the log begins at {_seconds(begin)}:"
            f" {_shorter(now - begin)}"
        )


def _seconds(at: datetime) -> str:
    return times.text(at.replace(microsecond=0))


def _shorter(length: timedelta) -> str:
    for unit, of in _UNITS:
        if length >= of:
            return f"give at most {length // of}{unit}"
    return "wait until it has events of more than a minute"
