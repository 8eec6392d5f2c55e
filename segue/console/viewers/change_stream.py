"""Changes as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Pure."""

from __future__ import annotations

import msgspec

from schemas.outputs.segment_change import Change
from schemas.outputs.wire import encode_change
from segue.show.json_line import json_line

MEDIA_TYPE = "text/event-stream"
RECONNECT = b"retry: 2000\n\n"
"""The first lines: a browser that loses the connection comes back after two seconds."""
KEEP_ALIVE = b":\n\n"


def change_event(change: Change) -> bytes:
    """Return a change as an event with its id; the data is the change's JSON, as in Kafka."""
    return _event("change", json_line(msgspec.Raw(encode_change(change))), change.event_id)


def fragment_event(html: str) -> bytes:
    """Return a piece of a page as an event."""
    return _event("fragment", html)


def end_event(sentence: str) -> bytes:
    """Return the last event of a viewer; it says why there are no more."""
    return _event("end", json_line({"error": sentence}))


def _event(kind: str, data: str, event_id: str | None = None) -> bytes:
    lines = [f"event: {kind}", *(f"data: {line}" for line in data.splitlines())]
    if event_id is not None:
        lines.insert(0, f"id: {event_id}")
    return ("\n".join(lines) + "\n\n").encode()
