"""Encodes a value for programs: the same text from a command and from the console."""

from __future__ import annotations

import msgspec

from schemas.printable import printable_json


def json_line(value: object) -> str:
    """Return a value as one line of JSON, without a character that could command a terminal."""
    return printable_json(msgspec.json.encode(value).decode())
