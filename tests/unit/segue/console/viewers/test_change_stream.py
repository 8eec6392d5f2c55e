from __future__ import annotations

import msgspec

from schemas.outputs.wire import encode_change
from segue.console.viewers.change_stream import change_event, end_event, fragment_event
from tests.support.inputs.made_change import a_change


def test_a_change_is_one_event_with_its_id_and_the_json_of_kafka() -> None:
    change = a_change(event_id="ab" * 16)
    lines = change_event(change).decode().split("\n")
    assert lines[:2] == [f"id: {'ab' * 16}", "event: change"]
    assert lines[3:] == ["", ""]
    assert msgspec.json.decode(lines[2].removeprefix("data: ")) == msgspec.json.decode(encode_change(change))


def test_no_text_of_a_change_ends_its_event_or_adds_a_line() -> None:
    hostile = a_change(segment_name="a\n\nevent: end\rb\u2028c\x1b[31m\u202e")
    lines = change_event(hostile).decode().splitlines()
    assert [line.partition(":")[0] for line in lines] == ["id", "event", "data", ""]
    data = lines[2].removeprefix("data: ")
    assert msgspec.json.decode(data)["segment_name"] == hostile.segment_name
    assert data.isprintable()


def test_a_piece_of_a_page_keeps_its_lines() -> None:
    assert fragment_event("<li>\n7</li>\n") == b"event: fragment\ndata: <li>\ndata: 7</li>\n\n"


def test_the_last_event_says_why() -> None:
    assert end_event("too slow") == b'event: end\ndata: {"error":"too slow"}\n\n'
