import hashlib

from schemas.outputs.segment_change import change_id
from schemas.times import parse

ERASED_AT = parse("2024-01-31T10:30:00.5+01:00")


def test_the_id_is_the_hash_of_prefix_user_erasure_and_sequence() -> None:
    told = hashlib.sha256(b"eu.\n7\n2024-01-31T09:30:00.500000Z\n2").hexdigest()[:32]
    assert change_id("eu.", "7", ERASED_AT, 2) == told


def test_without_a_prefix_or_an_erasure_their_lines_are_empty() -> None:
    assert change_id("", "é", None, 1) == hashlib.sha256(b"\n\xc3\xa9\n\n1").hexdigest()[:32]


def test_each_part_makes_another_id() -> None:
    ids = {
        change_id("", "7", None, 1),
        change_id("eu.", "7", None, 1),
        change_id("", "8", None, 1),
        change_id("", "7", ERASED_AT, 1),
        change_id("", "7", None, 2),
    }
    assert len(ids) == 5
