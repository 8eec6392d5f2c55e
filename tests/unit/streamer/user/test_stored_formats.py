"""A state and a place of every format ever written are read by this version, and newer ones are refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from streamer.place import place as places
from streamer.place.place import Place, Sweep
from streamer.user.stored import stored_state as states
from streamer.user.stored.stored_formats import NEWEST, NewerFormat
from streamer.user.user_state import Decided, Facts, Position
from tests.support.checks.moves import OLD, YOUNG
from tests.support.checks.stored_json import state_json
from tests.support.worlds.lane_world import World, check_promises, drain

FILES = Path(__file__).parents[3] / "data" / "formats"
FORMATS = range(1, NEWEST + 1)


def kept(number: int, what: str) -> bytes:
    return (FILES / name_of(number, what)).read_bytes()


def name_of(number: int, what: str) -> str:
    return f"{number}.{what}.{'msgpack' if what == 'state' and number >= 7 else 'json'}"


def test_a_state_and_a_place_of_every_format_are_kept() -> None:
    expected = [name_of(number, what) for number in FORMATS for what in ("place", "state")]
    assert sorted(path.name for path in FILES.iterdir()) == expected


@pytest.mark.parametrize("number", FORMATS)
def test_every_format_is_read_as_the_newest(number: int) -> None:
    state, place = states.decode("7", kept(NEWEST, "state"), {}), places.decode(kept(NEWEST, "place"))
    if number < 8:
        place = replace(place, users=-1)
    if number < 6:
        state = replace(state, facts=replace(state.facts, days={}, signups={}, totals={}, dropped_to=0))
        place = replace(place, day=UNSET, settings=replace(place.settings, time_zone=UNSET))
    if number < 5:
        place = replace(place, sweep=replace(place.sweep, ready=-1))
    if number < 4:
        state = replace(state, facts=replace(state.facts, own={}))
        place = replace(place, settings=replace(place.settings, left_out=()))
    if number < 3:
        state = replace(state, indexed=False)
    if number < 2:
        place = replace(place, formers={})
    assert states.decode("7", kept(number, "state"), {}) == state
    assert places.decode(kept(number, "place")) == place


def test_what_is_written_is_of_the_newest_format() -> None:
    """If this fails, the stored form has changed: give it a new number, and keep the old one's case here."""
    state, place = kept(NEWEST, "state"), kept(NEWEST, "place")
    assert states.encode(states.decode("7", state, {})) == state
    assert places.encode(places.decode(place)) == place
    assert state_json(state)["format"] == json.loads(place)["format"] == NEWEST


@pytest.mark.parametrize(
    ("kind", "path", "what"),
    [
        (Facts, ["facts"], "state"),
        (Decided, ["decided"], "state"),
        (Position, ["position"], "state"),
        (Place, [], "place"),
        (Sweep, ["sweep"], "place"),
    ],
)
def test_every_field_is_in_what_is_kept(kind: type[msgspec.Struct], path: list[str], what: str) -> None:
    """So a field more is a new format: a worker that does not know it would drop it."""
    stored = kept(NEWEST, what)
    there: Any = state_json(stored) if what == "state" else json.loads(stored)
    for name in path:
        there = there[name]
    assert set(there) == set(kind.__struct_fields__)


def test_a_lane_of_format_1_goes_on_and_is_written_anew() -> None:
    world = World()
    world.send(YOUNG)
    world.run()
    user, stored = world.redis.users["7"], json.loads(world.redis.places[0])
    del stored["format"], stored["formers"]
    world.redis.places[0] = json.dumps(stored).encode()
    user.fields["state"] = json.dumps({**state_json(user.fields["state"]), "format": 1}).encode()
    world.send(OLD)

    world.run()

    assert json.loads(world.redis.places[0])["format"] == NEWEST
    assert state_json(user.fields["state"])["format"] == NEWEST
    check_promises(world)


def test_a_newer_place_stops_the_lane_with_a_sentence_and_stays() -> None:
    world = World()
    world.run()
    newer = json.dumps({"format": NEWEST + 1, "else": "altogether"}).encode()
    world.redis.places[0] = newer
    says = (
        rf"the lane's place in Redis is of format {NEWEST + 1}, and this version of Segue reads formats "
        rf"up to {NEWEST}"
    )
    with pytest.raises(NewerFormat, match=says):
        world.take_over()
    assert world.redis.places[0] == newer
    assert places.readable(newer) is None


def one_field_more(stored: bytes) -> bytes:
    _, *fields = msgspec.msgpack.decode(stored)
    return msgspec.msgpack.encode([NEWEST + 1, *fields, "more"])


@pytest.mark.parametrize(
    "made_newer",
    [
        one_field_more,
        lambda _: msgspec.msgpack.encode([NEWEST + 1, "else"]),
        lambda _: json.dumps({"format": NEWEST + 1}).encode(),
    ],
    ids=["a field more", "another form", "JSON"],
)
def test_a_newer_state_is_neither_cut_down_nor_taken_for_broken(
    made_newer: Callable[[bytes], bytes],
) -> None:
    world = World()
    world.send(YOUNG)
    lane = world.run()
    fields = world.redis.users["7"].fields
    newer = fields["state"] = made_newer(fields["state"])
    world.send(OLD)
    with pytest.raises(NewerFormat, match=r"a state in Redis is of format .*: run the newer version"):
        drain(lane)
    assert fields["state"] == newer
