"""JSON text from outside, read without losing a digit.

A number with a fraction or an exponent comes as :class:`~decimal.Decimal`, its digits as written, since
``9007199254740993.0`` is a whole number that a double cannot hold. Of a duplicated key the last counts,
wherever it stands. Chosen over orjson, which turns whole numbers beyond 64 bits into doubles, and over
the standard library, which lets NaN and lone surrogates pass (and takes three times as long).
"""

import re
from decimal import Decimal, InvalidOperation

import msgspec

from schemas.errors import BadEvent

# A limit of our own, well inside the interpreter's: whether an event is a dead letter must not depend on
# how deep the caller's stack happens to be.
MAX_DEPTH = 100

# Possessive, and a string that never ends counts as one: hostile text costs linear time.
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def load(value: bytes) -> object:
    """The JSON value of a record.

    Raises:
        BadEvent: the text is not UTF-8 or not JSON, nests deeper than :data:`MAX_DEPTH`, or holds a
            whole number of more than 4,300 characters.
    """
    if value.count(b"[") + value.count(b"{") > MAX_DEPTH and _depth_exceeds(value, MAX_DEPTH):
        raise BadEvent("", f"the value nests more than {MAX_DEPTH} levels deep")
    try:
        return _DECODER.decode(value)
    except UnicodeDecodeError:
        raise BadEvent("", f"the value is not valid UTF-8 (byte {_first_bad_byte(value)})") from None
    except msgspec.ValidationError:
        # The decoder has no types to check, so the one thing it can refuse in valid JSON is this.
        raise BadEvent("", "the value holds a whole number of more than 4,300 characters") from None
    except msgspec.DecodeError as error:
        where = str(error).removeprefix("JSON is malformed: ")
        raise BadEvent("", f"the value is not valid JSON: {where}") from None


def _number(literal: str) -> Decimal | float:
    try:
        return Decimal(literal)
    except InvalidOperation:
        # An exponent beyond any Decimal; as a double it is infinite or nothing.
        return float(literal)


_DECODER = msgspec.json.Decoder(float_hook=_number)


def _depth_exceeds(value: bytes, limit: int) -> bool:
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(value):
        match match[0]:
            case b"[" | b"{":
                depth += 1
                if depth > limit:
                    return True
            case b"]" | b"}":
                depth -= 1
    return False


def _first_bad_byte(value: bytes) -> int:
    try:
        value.decode()
    except UnicodeDecodeError as error:
        return error.start
    return 0
