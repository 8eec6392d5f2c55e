from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.errors import BadRelease
from schemas.features import FEATURES, Feature
from schemas.outputs.wire import encode_release
from schemas.release.model_release import ModelRelease, Segment, space_of, version_of
from streamer.interfaces.lane_interfaces import Record
from streamer.releases.release_view import ReleaseView
from tests.support.worlds.made_up_release import RECENCY, a_recency_release, a_release

FIRST = a_release()
SECOND = a_release(centres=((2.0, 0.0), (0.0, 2.0), (-2.0, 0.0), (0.0, -2.0)))


def record(offset: int, key: str | None, value: bytes | None) -> Record:
    return Record("segment-models", 0, offset, None if key is None else key.encode(), value, 0)


def published(offset: int, release: ModelRelease) -> list[Record]:
    """As `publish` writes them: under the version, then under `current`."""
    value = encode_release(release)
    return [record(offset, release.version, value), record(offset + 1, "current", value)]


def view_of(*records: Record) -> ReleaseView:
    view = ReleaseView(topic_id="a")
    for one in records:
        view = view.after(one)
    return view


def test_before_the_first_release_there_is_nothing() -> None:
    view = view_of()
    assert (view.current, view.known_activation, view.refused) == (None, -1, None)
    assert view.bootstrap_standing() is None


def test_the_current_record_is_the_activation() -> None:
    view = view_of(*published(4, FIRST))
    assert view.current is not None
    assert view.current.release == FIRST
    assert (view.current.activation, view.current.topic_id) == (5, "a")
    assert view.known_activation == 5


def test_a_release_under_its_version_alone_is_kept_and_not_used() -> None:
    view = view_of(record(0, FIRST.version, encode_release(FIRST)))
    assert view.current is None
    assert view.known_activation == -1
    assert view.versions == {FIRST.version: encode_release(FIRST)}


def test_the_newest_activation_is_used_and_older_versions_are_kept() -> None:
    view = view_of(*published(0, FIRST), *published(3, SECOND))
    assert view.current is not None
    assert view.current.release == SECOND
    assert view.versions.keys() == {FIRST.version, SECOND.version}


def test_a_rollback_is_a_later_activation_of_an_older_release() -> None:
    back = record(6, "current", encode_release(FIRST))
    view = view_of(*published(0, FIRST), *published(3, SECOND), back)
    assert view.current is not None
    assert (view.current.release, view.current.activation) == (FIRST, 6)


def changed(**fields: object) -> bytes:
    """A release whose content is not what was named."""
    return msgspec.json.encode(replace(FIRST, **fields))


def huge(**fields: object) -> bytes:
    """A release that is named rightly, and whose numbers are finite."""
    release = replace(FIRST, **fields)
    release = replace(release, space=space_of(release))
    return msgspec.json.encode(replace(release, version=version_of(release)))


BROKEN = {
    "no JSON": b"{",
    "no release": b"[]",
    "no text": b"\xff\xfe",
    "another schema": changed(schema_version=99),
    "not a number": changed(mean=(float("nan"), *FIRST.mean[1:])),
    "another shape": changed(projection=FIRST.projection[:1]),
    "another content": changed(version="0123456789ab"),
    "centres whose squares overflow": huge(segments=(Segment(0, "far", (1e154, 1e154), 1),)),
    "a scale that blows a score up": huge(scale=(1e-308, *FIRST.scale[1:])),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_release_is_refused_and_the_old_one_stays(broken: bytes) -> None:
    view = view_of(*published(0, FIRST), record(3, "current", broken))
    assert view.current is not None
    assert (view.current.release, view.current.activation) == (FIRST, 1)
    # It was seen: states that another version of the worker decided by it are not waited for.
    assert view.known_activation == 3
    assert view.refused is not None
    assert "release" in view.refused

    mended = view.after(record(5, "current", encode_release(SECOND)))
    assert mended.refused is None
    assert mended.current is not None
    assert mended.current.activation == 5


def test_a_release_whose_arithmetic_fails_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_release: ModelRelease) -> None:
        raise OverflowError("intermediate overflow in fsum")

    before = view_of(*published(0, FIRST))
    with monkeypatch.context() as patched:
        patched.setattr("streamer.releases.release_view.Scorer", fails)
        view = before.after(record(3, "current", encode_release(SECOND)))

    assert view.current == before.current
    assert view.known_activation == 3
    assert view.refused is not None
    assert "intermediate overflow" in view.refused


@given(st.binary(max_size=60))
def test_whatever_lies_under_current_is_used_or_refused(value: bytes) -> None:
    view = view_of(*published(0, FIRST)).after(record(9, "current", value))
    assert view.known_activation == 9
    assert view.refused is not None
    assert view.current is not None
    assert view.current.activation == 1


def test_a_null_under_current_changes_nothing() -> None:
    before = view_of(*published(0, FIRST))
    assert before.after(record(2, "current", None)) == before


def test_a_null_under_a_version_forgets_it() -> None:
    view = view_of(*published(0, FIRST), record(3, FIRST.version, None))
    assert view.versions == {}
    assert view.current is not None


def test_the_bootstrap_record_stands_until_it_is_taken_back() -> None:
    told = (
        b'{"at": "2024-05-01T00:00:00Z", "places": {"0": {"orders": 3, "signups": 4}}, '
        b'"snapshot": "s3://b/x"}'
    )
    view = view_of(record(0, "bootstrap", told))
    standing = view.bootstrap_standing()
    assert standing is not None
    assert standing.at == "2024-05-01T00:00:00Z"
    assert standing.places == {"0": {"orders": 3, "signups": 4}}
    assert standing.snapshot == "s3://b/x"
    assert view.current is None
    assert view.after(record(1, "bootstrap", None)).bootstrap_standing() is None


@pytest.mark.parametrize("value", [b"", b"{}", b"\xff", b'{"at": 5, "places": {}}'])
def test_a_bootstrap_record_that_cannot_be_read_is_never_taken_for_none(value: bytes) -> None:
    with pytest.raises(BadRelease, match=r"record bootstrap .* cannot be read"):
        view_of(record(0, "bootstrap", value)).bootstrap_standing()


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"Current"])
def test_other_keys_do_no_harm(key: bytes | None) -> None:
    view = view_of(*published(0, FIRST)).after(Record("segment-models", 0, 2, key, b"?", 0))
    assert view.current is not None
    assert (view.current.activation, view.known_activation, view.refused) == (1, 1, None)


def test_a_topic_made_anew_begins_anew_and_the_model_stays_until_another_is_read() -> None:
    view = view_of(*published(7, FIRST), record(9, "bootstrap", b"{}")).of_topic("b")
    assert (view.topic_id, view.known_activation, view.bootstrap, view.versions) == ("b", -1, None, {})
    assert view.current is not None
    assert (view.current.activation, view.current.topic_id) == (8, "a")

    after = view.after(record(0, "current", encode_release(SECOND)))
    assert after.current is not None
    assert (after.current.activation, after.current.topic_id) == (0, "b")


def test_a_release_with_a_feature_that_the_worker_does_not_make_is_refused_and_the_old_one_stays() -> None:
    spend = Feature("spend", "sum", "price")
    other = a_release(declared=(spend,))
    records = [*published(0, FIRST), *published(2, other)]

    view = view_of(*records)
    assert view.current is not None
    assert view.current.release == FIRST
    assert 'trained with spend = { kind = "sum", source = "price" }' in (view.refused or "")
    assert view.known_activation == 3

    again = ReleaseView(features=(*FEATURES, spend), exclude_statuses=frozenset()).of_topic("a")
    for one in records:
        again = again.after(one)
    assert again.current is not None
    assert again.current.release == other
    assert again.refused is None


def test_a_release_of_other_excluded_statuses_is_refused_and_the_old_one_stays() -> None:
    other = a_release(exclude_statuses=("Cancelled",))
    view = ReleaseView(exclude_statuses=frozenset()).of_topic("a")
    for one in [*published(0, FIRST), *published(2, other)]:
        view = view.after(one)
    assert view.current is not None
    assert (view.current.release, view.current.activation, view.known_activation) == (FIRST, 1, 3)
    assert "trained with exclude_statuses ['Cancelled'], but the setting is []" in (view.refused or "")


def test_a_release_of_another_time_zone_is_refused_and_the_old_one_stays() -> None:
    """Its recency would count to another midnight than the fold's."""
    berlin = a_recency_release(time_zone="Europe/Berlin")
    view = ReleaseView(features=(*FEATURES, RECENCY), time_zone="UTC").of_topic("a")
    for one in [*published(0, FIRST), *published(2, berlin)]:
        view = view.after(one)
    assert view.current is not None
    assert (view.current.release, view.known_activation) == (FIRST, 3)
    assert view.refused == (
        f"release '{berlin.version}' was trained with time_zone 'Europe/Berlin', but the setting is 'UTC':"
        " set it to that, or publish a release that was trained with yours"
    )

    older = view.after(published(4, a_recency_release())[-1])
    ours = view.after(published(4, a_recency_release(time_zone="UTC"))[-1])
    assert [older.refused, ours.refused] == [None, None]
