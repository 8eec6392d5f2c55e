import json
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.errors import BadChange, BadRelease
from schemas.outputs.segment_change import Cause, SegmentChange, SimilarUser, UserErasedChange
from schemas.outputs.wire import decode_change, decode_release, encode_change, encode_release
from schemas.release.model_release import EncodedFeature, space_of, version_of
from schemas.times import parse
from tests.support.worlds.made_up_release import a_release

AT = parse("2024-01-31T09:30:00.123456Z")
CHANGE = SegmentChange(
    kind="moved",
    event_id="0" * 32,
    user_id="7",
    sequence=2,
    previous_segment=None,
    segment=0,
    segment_name="jeans",
    model_version="0123456789ab",
    activation=3,
    occurred_at=AT,
    emitted_at=AT,
    provisional=True,
    missing=("gender",),
    features={"age": 25, "gender": None, "country": "España", "total_orders": 2.5},
    components=(0.1, -1.0),
    distance=0.0,
    margin=1.0,
    similar_users=(SimilarUser("8", 0.5, None),),
    cause=Cause("order", "orders", 0, 5, "e1", {"signups": 3, "orders": 6}),
)
ERASED = UserErasedChange(
    event_id="1" * 32, user_id="7", sequence=3, occurred_at=AT, emitted_at=AT, cause=Cause("signup")
)
DEEP = b'{"schema_version":1,"unknown":' + b"[" * 100_000


def _changed(value: bytes, **fields: Any) -> bytes:
    return json.dumps(json.loads(value) | fields).encode()


def test_a_cause_without_a_day_writes_none() -> None:
    dated = replace(CHANGE, cause=Cause("time", positions={"orders": 6}, day=date(2024, 3, 1)))
    assert json.loads(encode_change(dated))["cause"] == {
        "type": "time",
        "topic": None,
        "partition": None,
        "offset": None,
        "event_id": None,
        "positions": {"orders": 6},
        "day": "2024-03-01",
    }
    assert decode_change(encode_change(dated)) == dated
    assert dated.cause.decided_on == date(2024, 3, 1)
    assert "day" not in json.loads(encode_change(CHANGE))["cause"]
    assert CHANGE.cause.decided_on is None


@pytest.mark.parametrize("change", [CHANGE, ERASED])
def test_a_change_is_read_as_it_was_written(change: SegmentChange | UserErasedChange) -> None:
    assert decode_change(encode_change(change)) == change
    assert decode_change(_changed(encode_change(change), unknown=1)) == change


def test_a_change_is_plain_json() -> None:
    told = json.loads(encode_change(CHANGE))
    assert told["occurred_at"] == "2024-01-31T09:30:00.123456Z"
    assert told["previous_segment"] is None
    assert told["features"] == {"age": 25, "gender": None, "country": "España", "total_orders": 2.5}
    assert told["similar_users"] == [{"user_id": "8", "similarity": 0.5, "segment": None}]
    assert told["cause"]["positions"] == {"signups": 3, "orders": 6}


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"null",
        b"7",
        b"{}",
        b'{"kind":"moved"}',
        b'{"kind":"erased"}',
        b"\xff",
        b'{"kind":"\xff"}',
        b'{"kind":"moved","unknown":' + b"[" * 100_000,
        _changed(encode_change(CHANGE), kind="gone"),
        _changed(encode_change(CHANGE), occurred_at="2024-01-31T09:30:00"),
        _changed(encode_change(CHANGE), components=[None, 1.0]),
    ],
)
def test_what_is_no_change_is_refused_in_one_sentence(value: bytes) -> None:
    with pytest.raises(BadChange, match=r"^a segment change cannot be read: [^\n]+$"):
        decode_change(value)


def test_a_release_is_read_as_it_was_written() -> None:
    release = a_release()
    assert decode_release(encode_release(release)) == release


def test_a_release_without_groups_has_no_word_of_them() -> None:
    written = encode_release(a_release())
    assert b'"age","encoding":"number","categories":[],"codes":[]}' in written
    assert b"quantile" not in written
    assert b"borders" not in written


def test_the_borders_of_groups_travel() -> None:
    release = a_release()
    groups = EncodedFeature("age", "quantile", quantile=5, borders=(30.0, 40.5))
    changed = replace(release, features=(groups, *release.features[1:]))
    changed = replace(changed, space=space_of(changed))
    changed = replace(changed, version=version_of(changed))
    assert changed.space != release.space
    written = encode_release(changed)
    assert b'"quantile":5,"borders":[30.0,40.5]' in written
    assert decode_release(written) == changed


def test_a_release_written_with_whole_numbers_is_read_with_doubles() -> None:
    release = a_release()
    whole = replace(release, mean=tuple(int(x) if x.is_integer() else x for x in release.mean))
    read = decode_release(encode_release(whole))
    assert read == release
    assert {type(number) for number in read.mean} == {float}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"schema_version": 2}, "has schema version 2, but this version of Segue reads 1"),
        ({"schema_version": "1"}, "cannot be read: .*schema_version"),
        ({"version": "0" * 12}, "was changed: version is '000000000000'"),
        ({"space": "0" * 12}, "was changed: version"),
        ({"training": None}, r"cannot be read: .*\$\.training"),
        ({"metrics": {"silhouette": None}}, r"cannot be read: .*\$\.metrics"),
        ({"mean": [1.0]}, "mean has 1 numbers, but should have 9, one a column"),
        ({"exclude_statuses": ["Returned"]}, "was changed: version"),
    ],
)
def test_what_is_no_release_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadRelease, match=problem):
        decode_release(_changed(encode_release(a_release()), **fields))


@pytest.mark.parametrize("value", [b"", b"null", b"{}", b"\xff", b'{"schema_version":1}', DEEP])
def test_bytes_that_are_no_release(value: bytes) -> None:
    with pytest.raises(BadRelease, match="a release cannot be read"):
        decode_release(value)


def test_a_release_with_a_feature_of_another_time_is_refused() -> None:
    release = a_release()
    unknown = replace(release, features=(EncodedFeature("shoe_size", "number"), *release.features[1:]))
    named = replace(unknown, space=space_of(unknown))
    with pytest.raises(BadRelease, match=r"shoe_size.* is none of the features"):
        encode_release(replace(named, version=version_of(named)))


def test_a_number_that_json_cannot_carry_is_refused() -> None:
    value = encode_release(a_release()).replace(b'"mean":[40.0', b'"mean":[1e400')
    with pytest.raises(BadRelease, match="out of range"):
        decode_release(value)


def test_a_release_that_nobody_could_read_is_not_written() -> None:
    for bad in (
        replace(a_release(), metrics={"silhouette": float("nan")}),
        replace(a_release(), scale=()),
        replace(a_release(), version="unnamed"),
    ):
        with pytest.raises(BadRelease):
            encode_release(bad)
