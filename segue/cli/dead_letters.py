"""`segue dead-letters`: list inputs that could not be applied, and send them again."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nlargest
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from schemas.printable import printable_cell
from segue.cli.command import command, flag
from segue.config.command_line import BadUsage, bad_option
from segue.config.settings import Settings
from segue.config.time_options import time_option
from segue.show.terminal import data, progress, say, warn, write, write_json

if TYPE_CHECKING:
    from segue.events.dead_letter_topic import DeadLetter, DeadLetters, Selection
    from segue.events.send_events import Outgoing

GROUP = "dead-letters"
_PLACE = re.compile(r"[0-9]+:[0-9]+")
_SHOWN = 60

_Reason = Annotated[
    str | None, typer.Option(metavar="TEXT", help="only letters with this text in the reason")
]
_Topic = Annotated[
    str | None, typer.Option(metavar="NAME", help="only letters from this topic: signups or orders")
]
_Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="only letters that were refused at or after this time")
]


@command("kafka", "topic_prefix", group=GROUP, example="segue dead-letters list --reason partition")
def list_(
    settings: Settings,
    reason: _Reason = None,
    topic: _Topic = None,
    since: _Since = None,
    most: Annotated[int, typer.Option("--max", metavar="N", help="only the newest N letters")] = 50,
    as_json: Annotated[bool, flag("--json", "each letter as one line of JSON, complete")] = False,
) -> int | None:
    """Show the inputs that could not be applied, the newest first, with their places and the reasons."""
    if most < 1:
        raise bad_option("--max", most, "give at least 1")
    from segue.events.dead_letter_topic import DeadLetters

    selection = _selection(settings, reason, topic, since)
    count = 0

    def chosen() -> Iterator[DeadLetter]:
        nonlocal count
        for letter in DeadLetters(settings):
            if selection.takes(letter):
                count += 1
                yield letter

    newest = nlargest(most, chosen(), key=_by_time)
    if as_json:
        for letter in newest:
            write_json(letter.as_json())
    elif newest:
        data.print(_table(newest))
    say(f"{_letters(count)}{f', the newest {most} shown: --max shows more' if count > most else ''}.")
    return None


@command(
    "kafka",
    "topic_prefix",
    "partitioner",
    group=GROUP,
    example="segue dead-letters retry --reason partition --dry-run",
)
def retry(
    settings: Settings,
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="PLACE…", help="letters by partition:offset, as `list` shows them"),
    ] = None,
    every: Annotated[bool, flag("--all", "all letters")] = False,
    reason: _Reason = None,
    topic: _Topic = None,
    since: _Since = None,
    dry_run: Annotated[bool, flag("--dry-run", "only show the inputs that would be sent")] = False,
    as_json: Annotated[bool, flag("--json", "the sent and unsent letters as JSON")] = False,
) -> int:
    """Send the inputs of dead letters again, as they came, each to the topic that it came from.

    Each input goes to the partition of its key. An input that was applied in the meantime changes nothing, so
    it is safe to send an input twice. The exit code is 1 if a letter cannot be sent.
    """
    filtered = any(value is not None for value in (reason, topic, since))
    if bool(places) + every + filtered != 1:
        raise BadUsage(
            "name letters by their places, or select letters by --reason, --topic and --since, or use --all;"
            " only one of these three"
        )
    for place in places or ():
        if not _PLACE.fullmatch(place):
            raise BadUsage(f"{place!r} is no letter's place: give partition:offset, for example 0:17")
    from segue.events.dead_letter_topic import DeadLetters
    from segue.events.send_events import Sender

    selection = _selection(settings, reason, topic, since, places or ())
    run = _Retry(settings, DeadLetters(settings), selection)
    run.look()
    if dry_run:
        sent = Counter(event.topic for event in run.events(shown=not as_json))
    else:
        with progress() as bar:
            task = bar.add_task("Sending", note="")
            sender = Sender(settings.kafka_client, settings.partitioner)
            done = sender.send(
                run.events(), lambda count: bar.update(task, completed=count, note=_letters(count))
            )
        sent = Counter(done.by_topic)
    run.report(sent, dry_run=dry_run, as_json=as_json)
    return 1 if run.not_sent else 0


@dataclass(slots=True)
class _Retry:
    """One run of `retry`.

    Attributes:
        settings: the settings.
        letters: all dead letters.
        selection: the user's criteria.
        wanted: the places of the letters to send.
        older: how many selected letters are left out because a newer letter stands for the same input.
        not_sent: why a letter cannot be sent, by place.
    """

    settings: Settings
    letters: DeadLetters
    selection: Selection
    wanted: frozenset[str] = frozenset()
    older: int = 0
    not_sent: dict[str, str] = field(default_factory=dict)

    def look(self) -> None:
        """Find all letters to send, before the first letter is sent."""
        from segue.events.dead_letter_topic import find
        from streamer.kafka.topics_admin import check_topics

        check_topics(self.settings.kafka_client, self.settings.topics)
        with progress() as bar:
            task = bar.add_task("Reading", note="")
            found = find(self.letters, self.selection, lambda n: bar.update(task, note=_letters(n)))
        named = self.selection.places
        if named - found.places:
            raise BadUsage(
                f"there is no dead letter at {', '.join(sorted(named - found.places))}:"
                " see segue dead-letters list"
            )
        # A letter that the user names is always sent. A filter selects only the newest letter of each input.
        self.wanted = found.places if named else found.places - found.older
        self.older = len(found.places) - len(self.wanted)

    def events(self, *, shown: bool = False) -> Iterator[Outgoing]:
        """Yield the records to send, and note the letters that cannot be sent."""
        from segue.events.dead_letter_topic import outgoing, why_unsendable

        for letter in self.letters:
            if letter.place not in self.wanted:
                continue
            reason = why_unsendable(letter, self.settings.topics.sources)
            if reason is not None:
                self.not_sent[letter.place] = reason
                continue
            if shown:
                write(letter.place, letter.topic, _shown(letter.key), _shown(letter.value))
            yield outgoing(letter, self.settings)

    def report(self, sent: Counter[str], *, dry_run: bool, as_json: bool) -> None:
        if as_json:
            fields = {
                "dry_run": dry_run,
                "sent": dict(sent),
                "older": self.older,
                "not_sent": [{"place": place, "reason": why} for place, why in self.not_sent.items()],
            }
            write_json(fields)
            return
        for place, why in self.not_sent.items():
            warn(f"dead letter {place} is not sent: {why}")
        if self.older:
            say(f"{_letters(self.older)} left out: each was sent again before, and has a newer letter.")
        by_topic = ", ".join(f"{count:,} to {topic}" for topic, count in sorted(sent.items()))
        would = "would be sent" if dry_run else "sent again"
        say(f"{_letters(sent.total())} {would}{f': {by_topic}' if by_topic else ''}.")


def _selection(
    settings: Settings,
    reason: str | None,
    topic: str | None,
    since: str | None,
    places: Sequence[str] = (),
) -> Selection:
    from segue.events.dead_letter_topic import Selection

    topics = settings.topics
    names = {"signups": topics.signups, "orders": topics.orders}
    names |= {name: name for name in topics.sources}
    if topic is not None and topic not in names:
        raise bad_option("--topic", topic, "give signups or orders")
    full = None if topic is None else names[topic]
    return Selection(frozenset(places), reason, full, time_option("--since", since))


def _table(letters: Sequence[DeadLetter]) -> Table:
    rows = Table(box=None, pad_edge=False)
    for heading in ("place", "refused", "input", "key"):
        rows.add_column(heading, no_wrap=True)
    rows.add_column("reason", overflow="fold")
    for letter in letters:
        again = "" if letter.retry_of is None else f"(sent again, was {letter.retry_of}) "
        rows.add_row(
            letter.place,
            f"{letter.refused_at:%Y-%m-%d %H:%M:%S}",
            f"{letter.topic} {letter.partition}:{letter.offset}",
            Text(_shown(letter.key)),
            Text(again + letter.reason),
        )
    return rows


def _by_time(letter: DeadLetter) -> tuple[datetime, int, int]:
    partition, _, offset = letter.place.partition(":")
    return letter.refused_at, int(partition), int(offset)


def _shown(data: bytes | None) -> str:
    if data is None:
        return "null"
    text = printable_cell(data[: 4 * _SHOWN].decode(errors="replace"))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _letters(count: int) -> str:
    return "1 dead letter" if count == 1 else f"{count:,} dead letters"
