"""A dead letter: read from its record, chosen, and made a record again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import msgspec
import pytest
from confluent_kafka import Message

from schemas.outputs.headers import Headers, dead_letter
from segue.cli.main import run
from segue.config.settings import Settings
from segue.events.dead_letter_topic import DeadLetter, Selection, letter_of, outgoing, why_unsendable

WRITTEN = datetime(2024, 5, 1, 12, tzinfo=UTC)
REFUSED = datetime(2024, 5, 1, 12, 0, 1, tzinfo=UTC)
SETTINGS = Settings.model_validate({"topic_prefix": "eu."})
INPUTS = ("eu.signups", "eu.orders")
OWN: Headers = (("ce_id", b"e1"), ("trace", b"\xff"))


class Lying:
    """A record as it lies in the topic of dead letters."""

    def __init__(self, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        self._key, self._value, self._headers = key, value, headers

    def topic(self) -> str:
        return "eu.segment-dead-letters"

    def partition(self) -> int:
        return 2

    def offset(self) -> int:
        return 17

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_714_564_801_000

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> list[tuple[str, bytes]]:
        return list(self._headers)


def a_letter(
    value: bytes | None = b"{}",
    *,
    topic: str = "eu.signups",
    headers: Headers = OWN,
    reason: str = "user_id: is missing",
) -> DeadLetter:
    """A letter as the worker writes it and as it is read."""
    written = dead_letter(
        key=b"7",
        value=value,
        headers=headers,
        topic=topic,
        partition=1,
        offset=40,
        timestamp_ms=1_714_564_800_000,
        reason=reason,
    )
    letter = letter_of(cast(Message, Lying(*written)))
    assert letter is not None
    return letter


def test_a_letter_is_read_as_it_was_written() -> None:
    assert a_letter() == DeadLetter(
        place="2:17",
        reason="user_id: is missing",
        topic="eu.signups",
        partition=1,
        offset=40,
        written_at=WRITTEN,
        refused_at=REFUSED,
        key=b"7",
        value=b"{}",
        headers=OWN,
        retry_of=None,
        cut=False,
    )


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("segue_reason", b"why"),),
        (
            ("segue_reason", b"why"),
            ("segue_topic", b"t"),
            ("segue_partition", b"one"),
            ("segue_offset", b"1"),
            ("segue_timestamp_ms", b"1"),
        ),
    ],
)
def test_a_record_that_segue_did_not_write_is_none(headers: Headers) -> None:
    assert letter_of(cast(Message, Lying(b"7", b"{}", headers))) is None


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(), True),
        (Selection(frozenset({"2:17", "0:1"})), True),
        (Selection(frozenset({"1:40"})), False),
        (Selection(reason="IS MISS"), True),
        (Selection(reason="age"), False),
        (Selection(topic="eu.signups"), True),
        (Selection(topic="eu.orders"), False),
        (Selection(since=REFUSED), True),
        (Selection(since=REFUSED.replace(second=2)), False),
        (Selection(reason="missing", topic="eu.orders"), False),
    ],
)
def test_what_a_selection_takes(selection: Selection, taken: bool) -> None:
    assert selection.takes(a_letter()) is taken


def test_a_letter_becomes_the_record_that_it_was_and_names_itself() -> None:
    event = outgoing(a_letter(b"<xml/>", topic="eu.orders"), SETTINGS)

    assert (event.topic, event.key, event.value) == ("eu.orders", b"7", b"<xml/>")
    assert event.headers == (*OWN, ("segue_retry_of", b"eu.segment-dead-letters 2:17"))


def test_one_that_dies_again_tells_which_letter_it_was_and_names_only_the_last() -> None:
    again = a_letter(headers=(*OWN, ("segue_retry_of", b"eu.segment-dead-letters 0:3")))

    assert again.retry_of == "0:3"
    assert outgoing(again, SETTINGS).headers == (*OWN, ("segue_retry_of", b"eu.segment-dead-letters 2:17"))
    elsewhere = a_letter(headers=(("segue_retry_of", b"us.segment-dead-letters 0:3"),))
    assert elsewhere.retry_of is None


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (None, {"type": "user.erased", "user_id": "7", "erased_at": "2024-05-01T12:00:00Z"}),
        (
            b'{"type": "user.erased", "user_id": 7, "event_id": "e"}',
            {"type": "user.erased", "user_id": "7", "erased_at": "2024-05-01T12:00:00Z", "event_id": "e"},
        ),
        (
            b'{"type": "user.erased", "user_id": 7, "erased_at": "2024-01-01T00:00:00Z"}',
            {"type": "user.erased", "user_id": "7", "erased_at": "2024-01-01T00:00:00Z"},
        ),
    ],
)
def test_an_erasure_is_sent_with_the_time_that_it_had(value: bytes | None, sent: dict[str, str]) -> None:
    event = outgoing(a_letter(value, reason="user '7' came on partition 1"), SETTINGS)

    assert msgspec.json.decode(event.value or b"") == sent


def test_an_erasure_in_another_form_is_sent_in_segue_s_own_with_the_time_that_it_had() -> None:
    """A row that Debezium unwraps may not say when it was deleted: then the record's time counts."""
    settings = Settings.model_validate(
        {"topic_prefix": "eu.", "events": {"signups": {"form": "debezium", "user_id": "id"}}}
    )
    letter = a_letter(b'{"id": 7, "__deleted": "true"}')
    value = outgoing(letter, settings).value
    assert value is not None
    expected = {"type": "user.erased", "user_id": "7", "erased_at": "2024-05-01T12:00:00Z"}
    assert msgspec.json.decode(value) == expected
    update = a_letter(b'{"id": 7, "created_at": 1}')
    assert outgoing(update, settings).value == update.value


def test_what_cannot_be_sent_says_why() -> None:
    assert why_unsendable(a_letter(), INPUTS) is None
    assert "signups, and the inputs are" in (why_unsendable(a_letter(topic="us.signups"), INPUTS) or "")
    assert "cut" in (why_unsendable(a_letter(b"x" * 5_000_000), INPUTS) or "")
    assert "1,000,001 bytes" in (why_unsendable(a_letter(b"x" * 1_000_001), INPUTS) or "")


def test_bytes_that_are_no_text_are_told_in_base64() -> None:
    told = a_letter(b"\xff\x00").as_json()
    assert (told["key"], told["value_base64"]) == ("7", "/wA=")
    assert "value" not in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["list", "--max", "0"], "option --max is 0: give at least 1"),
        (["list", "--topic", "changes"], "option --topic is 'changes': give signups or orders"),
        (["retry"], "name letters by their places, or select letters by"),
        (["retry", "0:1", "--all"], "name letters by their places, or select letters by"),
        (["retry", "17"], "'17' is no letter's place: give partition:offset"),
    ],
)
def test_what_cannot_be_used_is_said(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["dead-letters", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_the_group_alone_shows_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dead-letters"]) == 2
    shown = capsys.readouterr()
    assert "retry" in shown.out
    assert shown.err == ""
