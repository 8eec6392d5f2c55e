"""Laws of the quick ways to read an event and a time: they give what the full way gives, or nothing."""

import json
import re
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas import times
from schemas.features import FEATURES
from schemas.inputs import decode
from schemas.inputs.fields_read import EVERY_FIELD, FieldsRead, fields_read
from schemas.inputs.usual_events import usual_order, usual_signup
from schemas.times import EPOCH

pytestmark = pytest.mark.property

_EVERY_DEFAULT = fields_read(FEATURES, statuses=False)

_texts = st.sampled_from(
    ["7", "7.0", "", " ", "\u2003", "Ünal", "x" * 64, "x" * 65, "ü" * 200, "2024-01-31T09:30:00Z", "null"]
) | st.text(max_size=5)
_times = st.datetimes().map(lambda at: at.isoformat() + "Z") | st.sampled_from(
    [
        "2024-02-30T09:30:00Z",
        "2024-01-31T24:00:00Z",
        "2024-01-31T09:30:60Z",
        "2024-01-31T09:30:00.9999999Z",
        "2024-01-31T09:30:00,5Z",
        "2024-W05-3T09:30:00Z",
        "2024-01-31T09:30:00+01:00",
        "2024-01-31T09:30:00",
        "0000-01-31T09:30:00Z",
    ]
)
# As written, because digits count: 9007199254740993.0 is a whole number that no double can hold.
_numbers = (
    st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.integers(-(2**65), 2**65).map(str)
    | st.decimals(-1000, 1000, places=20).map(lambda number: f"{number:f}")
    | st.sampled_from(
        [
            "-0",
            "-0.0",
            "1e400",
            "1e-400",
            "2.0",
            "1e2",
            "9007199254740993.0",
            "NaN",
            "Infinity",
            "01",
            "9" * 4301,
        ]
    )
)
_literals = (
    (_texts | _times).map(json.dumps)
    | _numbers
    | st.sampled_from(
        ["null", "true", "[]", "{}", '"\\ud800"', '"\\ud83d\\ude00"', '"\xff"', "[[[]]]", "nul"]
    )
)
_UNKNOWN = ["unknown", "own", "former", "__deleted", "type"]


def _objects(fields: list[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return objects as text, with keys that are unknown, escaped or there twice."""
    keys = st.sampled_from(fields).map(json.dumps) | st.sampled_from(
        [*map(json.dumps, _UNKNOWN), '"st\\u0061tus"']
    )
    pairs = st.lists(st.tuples(keys, values), max_size=3)
    return pairs.map(lambda some: ",".join(f"{key}:{value}" for key, value in some))


def _event(fixed: dict[str, st.SearchStrategy[str]], others: list[str]) -> st.SearchStrategy[bytes]:
    """Return events: mostly good values of the fixed fields, and then any values of any field."""
    good = st.fixed_dictionaries(fixed).map(lambda some: ",".join(f'"{k}":{v}' for k, v in some.items()))
    more = _objects([*fixed, *others], _literals)
    whole = st.tuples(good, more).map(lambda both: "{" + ",".join(part for part in both if part) + "}")
    return whole.map(
        lambda written: written.encode("latin-1", "ignore") if "\xff" in written else written.encode()
    )


_ids = st.sampled_from(['"7"', "7", "18446744073709551615", '"7.5"']) | _texts.map(json.dumps)
_line = _objects(["brand", "category", "product_id", "price", "quantity"], _literals | _texts.map(json.dumps))
_items = st.lists(_line.map(lambda line: "{" + line + "}"), max_size=3).map(
    lambda lines: f"[{','.join(lines)}]"
)
_orders = _event(
    {"user_id": _ids, "order_id": _ids, "created_at": _times.map(json.dumps), "items": _items},
    ["status", "updated_at", "event_id"],
)
_signups = _event(
    {"user_id": _ids, "created_at": _times.map(json.dumps)},
    ["age", "gender", "country", "traffic_source", "event_id"],
)
_reads = st.sampled_from([EVERY_FIELD, _EVERY_DEFAULT, FieldsRead(frozenset(), items=False)])


@given(_orders, _reads)
@example(
    b'{"user_id":"7","order_id":"1","created_at":"2024-01-31T09:30:00Z","items":[{"price":1}],"x":"\xff"}',
    EVERY_FIELD,
)
def test_a_usual_order_is_the_order_read_field_by_field(value: bytes, read: FieldsRead) -> None:
    quick = usual_order(value, read)
    if quick is not None:
        with patch.object(decode, "usual_order", lambda *_: None):
            assert repr(quick) == repr(decode.decode_order(None, value, EPOCH, check_key=False, read=read))


@given(_signups, _reads)
def test_a_usual_signup_is_the_signup_read_field_by_field(value: bytes, read: FieldsRead) -> None:
    quick = usual_signup(value, read)
    if quick is not None:
        with patch.object(decode, "usual_signup", lambda *_: None):
            assert repr(quick) == repr(decode.decode_signup(None, value, EPOCH, check_key=False, read=read))


@given(
    _times
    | st.from_regex(r"\A[0-9]{4}-[0-9W]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]{0,8})?[Zz]?\Z")
)
def test_a_usual_time_is_the_time_read_part_by_part(written: str) -> None:
    quick = _parsed(written)
    with patch.object(times, "_USUAL", re.compile("(?!)")):
        assert quick == _parsed(written)


def _parsed(written: str) -> str:
    try:
        return repr(times.parse(written))
    except ValueError as error:
        return str(error)
