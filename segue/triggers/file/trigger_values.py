"""Checks single values of the file of triggers.

Each check returns the value as it is used, and raises a ValueError that says what to give instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.outputs.segment_change import CauseType
from schemas.times import parse_length

_CAUSES = frozenset(get_args(CauseType))
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+(%[\w.-]+)?\]|[\w-]{1,63}(\.[\w-]{1,63})*\.?)(:[0-9]*)?", re.ASCII)
_SLOWEST = 0.000_01
_SHOWN = 80


def check_whole(value: object) -> int:
    """Return a whole number of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("give a whole number of at least 1")
    return value


def check_zone(value: object) -> str:
    """Return the name of a time zone."""
    try:
        return ZoneInfo(check_text(value)).key
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ValueError("give a time zone such as Europe/Madrid or UTC") from None


def check_text(value: object) -> str:
    """Return a text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("give text, in quotes")
    return value


def check_segment(value: object) -> int | str:
    """Return a segment's id or name."""
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise ValueError("give a segment's id (a whole number) or its name (text)")
    if isinstance(value, int) and value < 0:
        raise ValueError("a segment's id is at least 0")
    return value


def check_address(value: object) -> str:
    """Return the address of a receiver, if the value is one."""
    return check_url(check_text(value))


def check_url(text: str) -> str:
    """Return the address of a receiver.

    Raises:
        ValueError: the text is no address of HTTP.
    """
    example = "give an address such as https://crm.example.com/hooks"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(example) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(example)
    if not text.isprintable() or " " in text:
        raise ValueError(example)
    if "@" in parts.netloc:
        raise ValueError("leave the login out of the address: give the header Authorization by headers_env")
    if not parts.netloc.isascii():
        raise ValueError(
            "write the host in ASCII, such as xn--mnchen-3ya.example.com for münchen.example.com"
        )
    if not _HOST.fullmatch(parts.netloc):
        # Else each webhook would fail for hours, as if the receiver were away.
        raise ValueError(f"no host can have this name; {example}")
    return text


def check_variable(value: object) -> str:
    """Return the name of an environment variable, which is not one of Segue's own."""
    # A secret in place of the name would stand in messages; the secrets of Standard Webhooks begin with
    # whsec_.
    wrong = ("SEGUE_", "WHSEC_")
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value) or value.upper().startswith(wrong):
        raise ValueError("give the name of an environment variable, such as WIN_BACK_SECRET, not its value")
    return value


def check_headers(value: object) -> dict[str, str]:
    """Return headers of a request by name."""
    if not isinstance(value, dict):
        raise ValueError('give a table of texts, such as { X-Source = "segue" }')  # noqa: TRY004 - see take
    for name, text in value.items():
        check_header(name, text)
    return dict(value)


def check_header_variables(value: object) -> dict[str, str]:
    """Return the variables of headers by name."""
    if not isinstance(value, dict):
        raise ValueError('give a table such as { Authorization = "CRM_AUTHORIZATION" }')  # noqa: TRY004
    for name, variable in value.items():
        check_header(name, "")
        check_variable(variable)
    return dict(value)


def check_header(name: str, text: object) -> None:
    """Check a header of the request.

    Raises:
        ValueError: HTTP takes no such header, or Segue sets it by itself.
    """
    if not _HEADER.fullmatch(name):
        raise ValueError("a header's name takes letters, digits and -")
    if name.lower() in ("webhook-id", "webhook-timestamp", "webhook-signature", "content-length", "host"):
        raise ValueError(f"leave {name} out: Segue sets it by itself")
    if not isinstance(text, str) or not text.isascii() or (text and not text.isprintable()):
        raise ValueError(f"give {name} a text of printable ASCII")


def check_reentry(value: object) -> str | timedelta:
    """Return `never`, `always`, or the time to wait."""
    if value in ("never", "always"):
        return str(value)
    try:
        return check_length(value)
    except ValueError:
        raise ValueError('use "never", "always" or a time to wait, such as "30d"') from None


def check_length(value: object) -> timedelta:
    """Return a length of time above 0."""
    if not isinstance(value, str):
        raise ValueError('give a length of time, such as "90m" or "7d"')  # noqa: TRY004
    length = parse_length(value)
    if not length:
        raise ValueError("give more than 0")
    return length


def check_timeout(value: object) -> timedelta:
    """Return a length of time of at most 5 minutes."""
    length = check_length(value)
    if length > timedelta(minutes=5):
        raise ValueError("give at most 5m")
    return length


def check_causes(value: object) -> frozenset[str]:
    """Return the causes of a list."""
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise ValueError(f"give a list of {list_names(sorted(_CAUSES))}")
    if unknown := [each for each in value if each not in _CAUSES]:
        raise ValueError(f"{shorten(unknown[0])} is no cause: use {list_names(sorted(_CAUSES))}")
    return frozenset(value)


def check_yes_or_no(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise ValueError("give true or false")  # noqa: TRY004
    return value


def check_share(value: object) -> float:
    """Return a share from 0 up to, but below, 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ValueError("give a share from 0 up to, but below, 1, such as 0.1")
    return float(value)


def check_rate(value: object) -> float:
    """Return requests a second."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not _SLOWEST <= value <= 100_000:
        raise ValueError("give requests a second, from 0.00001 to 100000")
    return float(value)


def check_concurrency(value: object) -> int:
    """Return how many requests at once."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 256:
        raise ValueError("give a whole number from 1 to 256")
    return value


def check_one_of(literal: object) -> Callable[[object], str]:
    """Return a check for the texts of a literal type."""

    def check(value: object) -> str:
        if value not in get_args(literal):
            raise ValueError(f"use {list_names(get_args(literal))}")
        return str(value)

    return check


def list_names(names: Any) -> str:
    """Return names as a sentence lists them."""
    *firsts, last = names
    return f"{', '.join(firsts)} or {last}" if firsts else str(last)


def shorten(value: object) -> str:
    """Return a value as a message shows it: printable, and not too long."""
    if value is None:
        return "not given"
    text = repr(value)  # also escapes what is not printable
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
