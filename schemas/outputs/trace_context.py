"""The W3C trace context in a record's headers: an event's ``traceparent`` goes on to the event's changes.

Source: W3C Trace Context, Recommendation of 23 November 2021, section 3.2.
"""

import re

from schemas.outputs.headers import Headers

TRACEPARENT = "traceparent"

# Version 00: trace id, id of the calling span, flags. Ids of zeros alone are invalid.
_FORM = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def traceparent_in(headers: Headers) -> bytes | None:
    """Return the trace context in an event's headers; None if there is none, or not exactly one valid one.

    >>> traceparent_in((("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),))
    b'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    >>> traceparent_in((("traceparent", b"hello"),)) is None
    True
    """
    found = [value for name, value in headers if name == TRACEPARENT]
    return found[0] if len(found) == 1 and found[0] and _FORM.fullmatch(found[0]) else None
