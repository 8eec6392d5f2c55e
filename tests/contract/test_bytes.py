"""The records, states, places and names of keys that are in use stay as they are, to the byte."""

from collections.abc import Iterator

import pytest

from streamer.place import place as places
from streamer.place.place_marks import Emptying, Moved, Refilling, encode_mark, is_refilled, mark_in
from streamer.user.stored import stored_state as states
from tests.support.checks import kept_bytes
from tests.support.checks.stored_json import state_json


@pytest.mark.parametrize("name", kept_bytes.STREAMS)
def test_a_stream_leaves_what_it_left_before(name: str) -> None:
    made = kept_bytes.text_of(name).splitlines()
    before = kept_bytes.path_of(name).read_text(encoding="utf-8").splitlines()
    for is_now, was in zip(made, before, strict=False):
        assert is_now == was
    assert len(made) == len(before)


def kept_places() -> Iterator[bytes]:
    for name in kept_bytes.STREAMS:
        for line in kept_bytes.kept(name):
            if line[0] in ("place", "saved", "saved over a torn lane"):
                yield line[2].encode()


def test_places_of_before_are_read_and_written_again_the_same() -> None:
    kept = [stored for stored in kept_places() if stored.startswith(b"{")]
    assert len(kept) > 50
    assert [places.encode(places.decode(stored)) for stored in kept] == kept


def test_marks_of_before_are_read_and_written_again_the_same() -> None:
    kept = {stored for stored in kept_places() if stored.startswith(b'"')}
    marks = {stored: mark_in(stored) for stored in kept}
    assert {type(mark) for mark in marks.values()} == {Refilling, Emptying, Moved}
    assert {mark.what for mark in marks.values() if isinstance(mark, Refilling)} == {"bootstrap", "rebuild"}
    assert {mark and encode_mark(mark) for mark in marks.values()} == kept


@pytest.mark.parametrize("stored", [b'"a bootstrap was begun"', b'"a bootstrap was begun: bootstrap 7f"'])
def test_marks_of_the_first_versions_are_known(stored: bytes) -> None:
    assert is_refilled(stored, "bootstrap")


def test_states_of_before_are_read_and_written_again_the_same() -> None:
    kept = [
        (line[1], kept_bytes.bytes_of(line[2]["state"]))
        for name in kept_bytes.STREAMS
        for line in kept_bytes.kept(name)
        if line[0] == "user"
    ]
    assert any(state_json(stored).get("indexed") for _, stored in kept)
    assert any("erased_at" in state_json(stored)["facts"] for _, stored in kept)
    assert [states.encode(states.decode(user_id, stored, {})) for user_id, stored in kept] == [
        stored for _, stored in kept
    ]
