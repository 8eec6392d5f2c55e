"""`segue dead-letters`: list inputs that could not be applied, and send them again."""

# ruff: noqa: PLC0415 - imports stand where they are needed: a command loads no more than it uses

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import nlargest
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from segue.cli.command import command, flag
from segue.config.command_line import BadUsage, bad_option
from segue.config.settings import Settings
from segue.config.time_options import time_option
from segue.show.letter_text import bytes_words
from segue.show.terminal import data, progress, say, warn, write, write_json

if TYPE_CHECKING:
    from segue.events.dead_letter_topic import DeadLetter, Selection
    from segue.events.resend_letters import Resend

GROUP = "dead-letters"
_PLACE = re.compile(r"[0-9]+:[0-9]+")

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
    from segue.events.resend_letters import letters_counted

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
    say(f"{letters_counted(count)}{f', the newest {most} shown: --max shows more' if count > most else ''}.")
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
    from segue.events.resend_letters import Resend, letters_counted

    resend = Resend(settings, DeadLetters(settings), _selection(settings, reason, topic, since, places or ()))
    with progress() as bar:
        task = bar.add_task("Reading", note="")
        resend.look(lambda count: bar.update(task, note=letters_counted(count)))
    if dry_run:
        show = (lambda _: None) if as_json else _show
        sent = Counter(event.topic for event in resend.events(show))
    else:
        with progress() as bar:
            task = bar.add_task("Sending", note="")
            sent = resend.send(lambda count: bar.update(task, completed=count, note=letters_counted(count)))
    _report(resend, sent, dry_run=dry_run, as_json=as_json)
    return 1 if resend.not_sent else 0


def _show(letter: DeadLetter) -> None:
    write(letter.place, letter.topic, bytes_words(letter.key), bytes_words(letter.value))


def _report(resend: Resend, sent: Counter[str], *, dry_run: bool, as_json: bool) -> None:
    from segue.events.resend_letters import older_words, resent_words

    if as_json:
        fields = {
            "dry_run": dry_run,
            "sent": dict(sent),
            "older": resend.older,
            "not_sent": [{"place": place, "reason": why} for place, why in resend.not_sent.items()],
        }
        write_json(fields)
        return
    for place, why in resend.not_sent.items():
        warn(f"dead letter {place} is not sent: {why}")
    if resend.older:
        say(older_words(resend.older))
    say(resent_words(sent, dry_run=dry_run))


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
            Text(bytes_words(letter.key)),
            Text(again + letter.reason),
        )
    return rows


def _by_time(letter: DeadLetter) -> tuple[datetime, int, int]:
    partition, _, offset = letter.place.partition(":")
    return letter.refused_at, int(partition), int(offset)
