"""What decides how JSON is read; what is refused stands in tests/support/inputs/bad_events.py."""

import time
from decimal import Decimal

import pytest

from schemas.errors import BadEvent
from schemas.inputs.json_text import MAX_DEPTH, load


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"18446744073709551615", 18446744073709551615),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b"9007199254740993.0", Decimal("9007199254740993.0")),
        (b"1e400", Decimal("1E400")),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b'{"a":{"b":1},"a":{}}', {"a": {}}),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'"\u0000"', "\0"),
        (b' \t\r\n{"a":null}\n', {"a": None}),
    ],
)
def test_load(value: bytes, expected: object) -> None:
    assert load(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(b"1e9999999999999999999", float("inf")), (b"1e-9999999999999999999", 0.0)]
)
def test_an_exponent_beyond_any_decimal_is_a_doubles(value: bytes, expected: float) -> None:
    assert load(value) == expected


@pytest.mark.parametrize(
    "value",
    [b"NaN", b"-Infinity", b"01", b"+1", b".5", b"1.", b"{'a':1}", b"[1,]", b'"\x00"', b'"\t"', rb'"\udc00"'],
)
def test_what_is_no_json(value: bytes) -> None:
    with pytest.raises(BadEvent, match="is not valid JSON"):
        load(value)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_the_limit_of_depth_is_exact(opening: bytes, closing: bytes) -> None:
    load(opening * MAX_DEPTH + b"1" + closing * MAX_DEPTH)
    with pytest.raises(BadEvent, match="nests more than 100 levels deep"):
        load(opening * (MAX_DEPTH + 1) + b"1" + closing * (MAX_DEPTH + 1))


def test_the_limit_is_of_depth_and_not_of_brackets() -> None:
    inner = MAX_DEPTH - 1
    load(b"[" * inner + b"[],[]" + b"]" * inner)
    with pytest.raises(BadEvent, match="nests more than 100 levels deep"):
        load(b"[" * inner + b"[],[[]]" + b"]" * inner)


def test_depth_does_not_depend_on_brackets_side_by_side_or_in_text() -> None:
    assert load(b"[" + b",".join([b"[]"] * 500) + b"]") == [[]] * 500
    assert load(rb'["' + b"[" * 500 + rb"\"" + b"{" * 500 + rb'\\"]') == ["[" * 500 + '"' + "{" * 500 + "\\"]


def test_depth_does_not_depend_on_the_callers_stack() -> None:
    value = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH

    def deeper(levels: int) -> object:
        return load(value) if levels == 0 else deeper(levels - 1)

    assert deeper(500) == load(value)


@pytest.mark.parametrize("value", [b'"' + b'\\"' * 450_000, b'"' * 900_000, b"[" * 900_000, b"[]," * 300_000])
def test_hostile_text_costs_linear_time(value: bytes) -> None:
    begin = time.process_time()
    with pytest.raises(BadEvent):
        load(value + b"[" * (MAX_DEPTH + 1))
    assert time.process_time() - begin < 5
