import pytest

from schemas.outputs.trace_context import traceparent_in

VALID = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_an_events_trace_context_is_found_among_its_headers() -> None:
    assert traceparent_in((("ce_id", b"7"), ("traceparent", VALID))) == VALID


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"hello",
        VALID.upper(),
        VALID + b"-00",
        VALID + b"\n",
        b"ff" + VALID[2:],
        b"00-" + b"0" * 32 + VALID[35:],
        VALID[:36] + b"0" * 16 + b"-01",
    ],
)
def test_a_header_that_is_no_trace_context_is_dropped(value: bytes) -> None:
    assert traceparent_in((("traceparent", value),)) is None


def test_two_trace_contexts_are_none() -> None:
    assert traceparent_in((("traceparent", VALID), ("traceparent", VALID))) is None
