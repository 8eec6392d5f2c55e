"""Reads a short form."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

_LONGEST = 4_096


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form by name; a form that is too long has none."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST:
            return {}
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
