"""Check that each bad record of a campaign has one dead letter with the same key and value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from tests.support.checks.read_records import KafkaRecord, headers_of, read_topic

Sent = tuple[str, int, bytes | None, bytes | None]
"""A record as its producer wrote it: topic, partition (-1 if the key chose it), key and value."""
At = tuple[str, int, int]
"""The place of a record: topic, partition and offset."""

Origin = Callable[[KafkaRecord, At], At]
"""Find the place of a letter's record, from the letter and the place in its headers."""
ReadLog = Callable[[str], Iterable[tuple[int, KafkaRecord]]]
"""A topic's records, each with its offset."""

_LONGEST_REASON = 2_000


def as_told(_: KafkaRecord, at: At) -> At:
    """Return the place in the letter's headers: right if no topic was deleted and created again."""
    return at


def check_letters(
    bootstrap: str,
    dead_letters: str,
    sent: Mapping[Sent, int],
    log: ReadLog | None = None,
    origin: Origin = as_told,
) -> int:
    """Check that each bad record has one dead letter; return the number of dead letters.

    Two records may be equal, so the place of the record identifies a letter.

    Args:
        sent: every bad record, and how often the campaign sent it.
        log: gives a topic's records with their offsets; None: read the topic itself.
        origin: gives the place of a letter's record in that log.
    """
    read = log or (lambda topic: ((message.offset(), message) for message in read_topic(bootstrap, topic)))
    topics = sorted({topic for topic, *_ in sent})
    bad = bad_in_log((lying for topic in topics for lying in read(topic)), sent)
    letters = read_topic(bootstrap, dead_letters)
    match_letters(bad, letters, origin)
    return len(letters)


def bad_in_log(log: Iterable[tuple[int, KafkaRecord]], sent: Mapping[Sent, int]) -> dict[At, Sent]:
    """Return the bad records by their place in the log; check that each is there as often as it was sent."""
    lying: dict[At, Sent] = {}
    for offset, message in log:
        for partition in (-1, message.partition()):
            record = message.topic(), partition, message.key(), message.value()
            if record in sent:
                lying[message.topic(), message.partition(), offset] = record
    written = Counter(lying.values())
    assert written == Counter(sent), f"not as sent: {[*_apart(written, Counter(sent))][:3]!r:.600}"
    return lying


def match_letters(bad: Mapping[At, Sent], letters: Iterable[KafkaRecord], origin: Origin = as_told) -> None:
    """Check that each bad record has one letter, with its key, its value and a readable reason."""
    told: Counter[At] = Counter()
    for letter in letters:
        headers = {
            name: value.decode() for name, value in headers_of(letter).items() if name.startswith("segue_")
        }
        reason = headers["segue_reason"]
        assert reason.strip(), f"no reason: {letter.value()!r:.300}"
        assert "\n" not in reason, reason
        assert "Traceback" not in reason, reason
        assert len(reason) < _LONGEST_REASON, reason
        at = origin(
            letter, (headers["segue_topic"], int(headers["segue_partition"]), int(headers["segue_offset"]))
        )
        told[at] += 1
        assert at in bad, f"a dead letter of what is not bad: {at}: {reason}: {letter.value()!r:.300}"
        as_it_came = letter.key(), letter.value()
        assert as_it_came == bad[at][2:], f"{at} was {bad[at]!r:.300}, its letter is {as_it_came!r:.300}"
    right = Counter(bad.keys())
    lost, twice = right - told, told - right
    assert not lost, (
        f"{lost.total()} bad events are no dead letters, the first: {bad[next(iter(lost))]!r:.300}"
    )
    assert not twice, f"{twice.total()} dead letters too many, the first: {next(iter(twice))}"


def _apart(one: Counter[Sent], other: Counter[Sent]) -> Iterable[tuple[Sent, int, int]]:
    return ((record, one[record], other[record]) for record in one | other if one[record] != other[record])
