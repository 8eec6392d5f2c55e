"""Parse JSON text of producers without the loss of a digit.

A number with a fraction or an exponent becomes a :class:`~decimal.Decimal` with all its digits:
``9007199254740993.0`` is a whole number that no double can hold. If a key occurs twice, the last value
counts. msgspec parses the text. orjson turns whole numbers beyond 64 bits into doubles. The standard library
accepts NaN and lone surrogates, and takes three times as long.
"""

import re
from decimal import Decimal, InvalidOperation

import msgspec

from schemas.errors import BadEvent

# This limit lies well below the interpreter's. So it does not depend on the depth of the caller's stack
# whether an event is a dead letter.
MAX_DEPTH = 100

# Possessive quantifiers, and a match also for a string without an end: hostile text costs linear time.
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def load(value: bytes) -> object:
    """Parse the JSON value of a record.

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
        # The decoder checks no types. In valid JSON it refuses only such a number.
        raise BadEvent("", "the value holds a whole number of more than 4,300 characters") from None
    except msgspec.DecodeError as error:
        where = str(error).removeprefix("JSON is malformed: ")
        raise BadEvent("", f"the value is not valid JSON: {where}") from None


def _number(literal: str) -> Decimal | float:
    try:
        return Decimal(literal)
    except InvalidOperation:
        # The exponent is too large for a Decimal; as a double the number is infinite or zero.
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
