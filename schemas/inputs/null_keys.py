"""The key of a null value on ``signups``. Only the key names the user that the null erases.

Converters of Kafka Connect and serializers for a Schema Registry encode the id in the key. If Segue took such
a key for an id, it would erase nobody, and the user would stay.
"""

import re

from schemas.errors import BadEvent
from schemas.inputs import field_checks, json_text

_TEXT = "a null needs the user id as plain text (Kafka Connect: StringConverter)"
_FIELD = "a null needs the user id as plain text (Kafka Connect: ExtractField$Key, then StringConverter)"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# The text of a record, such as Struct{user_id=7}, {user_id=7} or {'user_id': 7}.
_RECORD = re.compile(r"\w*[{(]\s*['\"]?\w+['\"]?\s*[=:].*[)}]", re.DOTALL)


def user_id_in(key: bytes | None) -> str:
    """Return the id of the user that a null with this key erases.

    >>> user_id_in(b"7")
    '7'

    Raises:
        BadEvent: the key is missing, is no id, or is an id that a converter has encoded.
    """
    if key is not None:
        _check_plain(key)
    return field_checks.required_id({"key": None if key is None else key.decode()}, "key")


def _check_plain(key: bytes) -> None:
    shown = field_checks.shown(key.decode(errors="replace"))
    try:
        text = key.decode()
    except UnicodeDecodeError:
        raise BadEvent("key", f"{shown} is not UTF-8: {_TEXT}") from None
    json = _json_in(text)
    if isinstance(json, dict) or _RECORD.fullmatch(text):
        raise BadEvent("key", f"{shown} is a record and not an id: {_FIELD}")
    if json is not None:
        raise BadEvent("key", f"{shown} is JSON: {_TEXT}")
    if _CONTROL.search(text):
        raise BadEvent("key", f"{shown} holds control characters, as encoded keys do: {_TEXT}")


def _json_in(text: str) -> object:
    """Parse a key that is a JSON object, array or text; None for any other key (a number is a plain id)."""
    if not text.lstrip().startswith(("{", "[", '"')):
        return None
    try:
        return json_text.load(text.encode())
    except BadEvent:
        return None
