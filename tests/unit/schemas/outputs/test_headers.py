import hashlib

import pytest
from msgspec.structs import replace

from schemas.outputs.headers import DEAD_LETTER_HEADERS, Headers, change_headers, dead_letter, release_headers
from schemas.outputs.segment_change import Cause, UserErasedChange
from schemas.times import parse
from schemas.topics import MAX_DEAD_LETTER_BYTES, Topics
from tests.support.worlds.made_up_release import a_release

AT = parse("2024-01-31T09:30:00Z")
TOLD = {
    "segue_reason": "größe: is missing".encode(),
    "segue_topic": b"eu.orders",
    "segue_partition": b"3",
    "segue_offset": b"41",
    "segue_timestamp_ms": b"-1",
}

CREATED = "2024-01-30T00:00:00Z"


def _letter(
    key: bytes | None, value: bytes | None, headers: Headers = ()
) -> tuple[bytes | None, bytes | None, Headers]:
    return dead_letter(
        key=key,
        value=value,
        headers=headers,
        topic="eu.orders",
        partition=3,
        offset=41,
        timestamp_ms=-1,
        reason="größe: is missing",
    )


def _total(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    told = sum(len(name.encode()) + len(content) + 10 for name, content in headers)
    return len(key or b"") + len(value or b"") + told


def test_a_change_is_a_cloud_event() -> None:
    change = UserErasedChange(
        event_id="ab" * 16, user_id="é", sequence=3, occurred_at=AT, emitted_at=AT, cause=Cause("signup")
    )
    assert change_headers(change, Topics("eu.")) == (
        ("ce_specversion", b"1.0"),
        ("ce_id", b"ab" * 16),
        ("ce_type", b"segue.segment.erased"),
        ("ce_source", b"/segue/eu."),
        ("ce_time", b"2024-01-31T09:30:00Z"),
        ("ce_subject", b"\xc3\xa9"),
        ("content-type", b"application/json"),
    )


def test_publishing_and_activating_a_release_are_two_events() -> None:
    release = replace(a_release(), version="0123456789ab")
    published = dict(release_headers(release, Topics(), key="0123456789ab", at=AT, created_at=CREATED))
    activated = dict(release_headers(release, Topics(), key="current", at=AT, created_at=CREATED))
    later = parse("2024-02-01T00:00:00Z")
    again = dict(release_headers(release, Topics(), key="current", at=later, created_at=CREATED))
    assert published["ce_type"] == b"segue.model.published"
    assert activated["ce_type"] == again["ce_type"] == b"segue.model.activated"
    assert {told["ce_subject"] for told in (published, activated, again)} == {b"0123456789ab"}
    assert len({told["ce_id"] for told in (published, activated, again)}) == 3
    assert {told["segue_created_at"] for told in (published, activated, again)} == {CREATED.encode()}


@pytest.mark.parametrize(("key", "value"), [(b"7", b"{}"), (None, None), (b"", b""), (b"\xff", b"\x00")])
def test_a_dead_letter_is_as_it_came(key: bytes | None, value: bytes | None) -> None:
    came = (("ce_id", b"e1"), ("trace", b"\xff"), ("trace", b"2"))
    told_key, told_value, headers = _letter(key, value, came)
    assert (told_key, told_value) == (key, value)
    assert dict(headers[:5]) == TOLD
    assert headers[5:] == came


def test_a_dead_letter_that_dies_again_tells_of_its_last_death_alone() -> None:
    old = tuple((name, b"old") for name in DEAD_LETTER_HEADERS)
    _, _, headers = _letter(b"7", b"{}", (*old, ("trace", b"1")))
    assert dict(headers) == TOLD | {"trace": b"1"}
    assert len(headers) == 6


def test_what_just_fits_is_not_cut_and_one_byte_more_is() -> None:
    room = MAX_DEAD_LETTER_BYTES - _total(*_letter(b"7", b"")) - 64
    key, value, headers = _letter(b"7", b"x" * room)
    assert value == b"x" * room
    assert len(headers) == 5
    whole = b"x" * (room + 1)
    key, value, headers = _letter(b"7", whole)
    assert key == b"7"
    assert value is not None
    assert whole.startswith(value)
    assert len(value) > 3_990_000
    assert dict(headers) == TOLD | {
        "segue_value_bytes": str(room + 1).encode(),
        "segue_value_sha256": hashlib.sha256(whole).hexdigest().encode(),
    }


BIG = b"k" * 5_000_000


@pytest.mark.parametrize(
    ("key", "value", "came", "names"),
    [
        (b"7", BIG, (("h", b"1"),), ["segue_value_bytes", "segue_value_sha256", "h"]),
        (b"7", b"{}", (("h", BIG),), ["segue_headers_dropped"]),
        (BIG, b"{}", (), None),
        (BIG, BIG, (("h", BIG), ("i", b"")), None),
        (BIG, None, (), ["segue_key_bytes", "segue_key_sha256"]),
        (b"k" * 3_900_000, BIG, (), ["segue_value_bytes", "segue_value_sha256"]),
    ],
)
def test_whatever_came_the_dead_letter_fits(
    key: bytes, value: bytes | None, came: Headers, names: list[str] | None
) -> None:
    told_key, told_value, headers = _letter(key, value, came)
    assert _total(told_key, told_value, headers) <= MAX_DEAD_LETTER_BYTES
    assert told_key is not None
    assert key.startswith(told_key)
    assert (told_value is None) == (value is None)
    assert (value or b"").startswith(told_value or b"")
    told = dict(headers)
    for name, whole, kept in (("key", key, told_key), ("value", value or b"", told_value or b"")):
        if kept != whole:
            assert told[f"segue_{name}_bytes"] == str(len(whole)).encode()
            assert told[f"segue_{name}_sha256"] == hashlib.sha256(whole).hexdigest().encode()
    if names is not None:
        assert [name for name, _ in headers[5:]] == names
