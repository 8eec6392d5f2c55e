from __future__ import annotations

from msgspec.structs import replace

from schemas.outputs.wire import encode_release
from schemas.release.model_release import ModelRelease, version_of
from streamer.interfaces.lane_interfaces import Record
from tests.support.worlds.made_up_release import a_release
from trainer.publish.release_history import Publication, Published, published


def release(next_segment: int = 4) -> ModelRelease:
    made = replace(a_release(), next_segment=next_segment)
    return replace(made, version=version_of(made))


A, B, C = release(4), release(6), release(5)


def record(offset: int, key: str, value: ModelRelease | bytes | None, day: int = 1) -> Record:
    content = encode_release(value) if isinstance(value, ModelRelease) else value
    headers = (("ce_time", b"2024-05-%02dT00:00:00Z" % day), ("segue_created_at", b"2024-04-30T00:00:00Z"))
    return Record("segment-models", 0, offset, key.encode(), content, 0, headers)


def activation(offset: int, of: ModelRelease, day: int = 1) -> list[Record]:
    """The two records of a transaction, before its marker."""
    return [record(offset, of.version, of, day), record(offset + 1, "current", of, day)]


def versions(known: Published) -> list[str]:
    return [each.release.version for each in known.releases]


def test_nothing_yet() -> None:
    known = published([])
    assert known == Published((), None, None, None)
    assert (known.previous, known.next_segment) == (None, 0)


def test_the_newest_is_current_and_the_order_is_that_of_last_activations() -> None:
    known = published(
        [*activation(0, A, 1), *activation(3, B, 2), *activation(6, A, 3), *activation(9, C, 4)]
    )
    assert versions(known) == [B.version, A.version, C.version]
    assert known.current == Publication(C, "2024-04-30T00:00:00Z", "2024-05-04T00:00:00Z", (10,))
    assert known.activation == 10
    assert known.previous == Publication(A, "2024-04-30T00:00:00Z", "2024-05-03T00:00:00Z", (1, 7))
    assert known.by_version(B.version) == Publication(B, "2024-04-30T00:00:00Z", "2024-05-02T00:00:00Z", (4,))
    assert known.by_version("nobody") is None
    assert known.next_segment == 6


def test_after_compaction_the_order_is_the_same() -> None:
    """Of each key the newest record is left."""
    left = [record(3, B.version, B), record(6, A.version, A), *activation(9, C)]
    known = published(left)
    assert versions(known) == [B.version, A.version, C.version]
    assert known.previous is not None
    assert (known.previous.release, known.previous.activations) == (A, ())


def test_a_current_release_whose_version_is_not_there() -> None:
    known = published([record(5, "current", A)])
    assert versions(known) == [A.version]
    assert known.current is not None
    assert known.activation == 5


def test_other_records_are_none_of_our_business() -> None:
    known = published(
        [*activation(0, A), record(3, "bootstrap", b'{"at": "2024-01-01"}'), record(4, "x", b"\xff")]
    )
    assert versions(known) == [A.version]
    assert known.activation == 1


def test_a_version_that_was_removed() -> None:
    assert versions(published([*activation(0, A), *activation(3, B), record(6, A.version, None)])) == [
        B.version
    ]


def test_a_current_record_that_cannot_be_read_is_told() -> None:
    known = published([*activation(0, A), record(3, "current", b'{"schema_version": 2}')])
    assert known.current is None
    assert known.activation == 3
    assert known.problem is not None
    assert "schema version 2" in known.problem
    again = published([*activation(0, A), record(3, "current", b"{}"), *activation(5, B)])
    assert (again.problem, again.activation) == (None, 6)
