"""Lines to events, and bad lines to sentences."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import pytest

from schemas.topics import Topics
from segue.events.ingest_lines import BadFile, BadLine, check_files, read_files
from segue.events.send_events import Outgoing
from tests.support.servers.rights import without_rights

TOPICS = Topics("eu.")


def read(text: bytes) -> list[Outgoing]:
    return list(read_files(["-"], TOPICS, BytesIO(text)))


def problem(line: str) -> str:
    with pytest.raises(BadLine) as caught:
        read(f"\n{line}\n".encode())
    assert caught.value.line == 2
    return str(caught.value)


def test_a_line_names_its_topic_shortly_or_in_full_and_its_value_is_sent_as_it_stands() -> None:
    events = read(
        b'{"topic": "signups", "key": "7", "value": {"user_id": 9007199254740993.0,  "age": 1e2}}\n'
        b"\n"
        b'{"topic": "eu.orders", "key": null, "value": null, "more": 1}'
    )

    assert events == [
        Outgoing(
            "eu.signups", b"7", b'{"user_id": 9007199254740993.0,  "age": 1e2}', "standard input, line 1"
        ),
        Outgoing("eu.orders", None, None, "standard input, line 3"),
    ]


def test_files_are_read_in_their_order(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_text(f'{{"topic": "orders", "key": "{name}", "value": 1}}')

    events = read_files([str(tmp_path / "b"), str(tmp_path / "a")], TOPICS, BytesIO())

    assert [event.key for event in events] == [b"b", b"a"]


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be read: No such file or directory"):
        list(read_files([str(tmp_path / "none")], TOPICS, BytesIO()))


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    line = b'{"topic": "orders", "key": "7", "value": 1}\n'
    (tmp_path / "marked").write_bytes(b"\xef\xbb\xbf" + 2 * line)

    assert len(list(read_files([str(tmp_path / "marked")], TOPICS, BytesIO()))) == 2
    assert [event.key for event in read(b"\xef\xbb\xbf" + line)] == [b"7"]


def test_files_are_checked_without_being_read_from(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("no line that could be sent")
    os.mkfifo(tmp_path / "pipe")  # nobody writes: to open it would hang

    check_files(["-", str(tmp_path / "good"), str(tmp_path / "pipe")])

    for name, reason in (("none", "No such file or directory"), ("", "Is a directory")):
        with pytest.raises(BadFile, match=reason) as caught:
            check_files(["-", str(tmp_path / "good"), str(tmp_path / name)])
        assert caught.value.exit_code == 3
    with without_rights(tmp_path), pytest.raises(BadFile, match="Permission denied"):
        check_files([str(tmp_path / "good")])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "standard input, line 2: it is not JSON ("),
        ("[1]", "line 2: it is JSON, but not an object; a line is"),
        ('{"topic": "orders", "value": 1}', 'line 2: it has no "key"; a line is {"topic":'),
        ('{"topic": "orders", "key": "7"}', 'line 2: it has no "value"; a line is'),
        ('{"topic": "orders", "key": 7, "value": 1}', 'line 2: the "key" 7 is neither text nor null'),
        (
            '{"topic": "payments", "key": "7", "value": 1}',
            'line 2: "payments" is no input topic here (eu.signups, eu.orders)',
        ),
        ('{"topic": ["orders"], "key": "7", "value": 1}', "line 2: an array is no input topic here"),
    ],
)
def test_a_bad_line_is_named_with_its_file_its_number_and_the_fix(line: str, expected: str) -> None:
    told = problem(line)

    assert expected in told
    assert "\n" not in told


def test_text_that_is_not_utf_8_is_named_too() -> None:
    with pytest.raises(BadLine, match="it is not valid UTF-8"):
        read(b'{"topic": "orders", "key": "\xff", "value": 1}')


def test_what_stood_before_a_bad_line_has_been_handed_out() -> None:
    events = read_files(["-"], TOPICS, BytesIO(b'{"topic": "orders", "key": "7", "value": 1}\n{'))

    assert next(iter(events)).key == b"7"
