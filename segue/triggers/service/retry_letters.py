"""Sends the webhooks that became dead letters again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Protocol

from msgspec import Struct, structs

from schemas.errors import BadChange, SegueError, Unreachable
from schemas.outputs.wire import decode_change
from segue.config.settings import Settings
from segue.connect.wait_for_servers import answer_s
from segue.triggers.file.trigger_file import Triggers
from segue.triggers.sending.post_webhook import Answer
from segue.triggers.sending.webhook_body import BadBody, Message, Receiver
from segue.triggers.service.dead_letters import DeadLetters, Letter
from segue.triggers.service.run_triggers import poster_of, receivers_of
from segue.triggers.service.trigger_topics import check_trigger_topics, trigger_group
from streamer.interfaces.lane_errors import Fenced, InDoubt
from streamer.interfaces.lane_interfaces import OutRecord
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.kafka_writer import Writer

# A pause that is longer is announced.
_LONG_S = 5.0


class AnotherRetry(SegueError):
    """Another retry has begun, and this one ends: both would send each webhook."""

    def __init__(self) -> None:
        super().__init__("another `segue triggers retry` runs: wait until it has ended, then start again")


class Retried(Struct, frozen=True):
    """What came of a retry: how many were sent, and why others were not, by webhook."""

    sent: int
    not_sent: Mapping[str, str]


class Standing(Protocol):
    """The dead letters that stand."""

    def read(self) -> dict[str, Letter]:
        """Return those that stand now, by webhook, in the order to send them."""

    def stands(self, webhook_id: str) -> bool:
        """Whether a dead letter still stands."""


def retry_letters(
    settings: Settings, file: Path, triggers: Triggers, only: str | None, say: Callable[[str], None]
) -> Retried:
    """Send dead letters again, each once, with the same id as before; those that are taken are removed.

    Args:
        settings: name the Kafka and the topics.
        file: the file of triggers, for messages.
        triggers: what it declares: where the webhooks go now.
        only: the trigger whose letters are sent; None for all.
        say: shows a sentence to people.

    Raises:
        AnotherRetry: another retry has begun.
        BadTopics: `segue triggers run` has not created its topics yet, or they do not fit together.
        Unreachable: Kafka does not answer, or a webhook that was taken could not be removed.
    """
    receivers = receivers_of(file, triggers, settings.topics)
    check_trigger_topics(settings)
    deadlines = Deadlines()
    writer = Writer(
        f"{trigger_group(settings)}-retry",
        settings.kafka_client,
        settings.partitioner,
        structs.replace(
            deadlines, fence_s=answer_s(deadlines.fence_s), commit_s=answer_s(deadlines.commit_s)
        ),
        lambda: False,
    )
    topic = settings.topics.trigger_dead_letters

    def remove(letter: Letter) -> None:
        gone = OutRecord(topic, letter.webhook_id.encode(), None, (), letter.partition)
        writer.commit([gone], [], None)

    posts = {name: poster_of(receiver)[1] for name, receiver in receivers.items()}
    try:
        # Two retries at once would send every webhook twice: the second one ends the first.
        writer.fence()
        with closing(DeadLetters(settings)) as letters:
            return send_letters(letters, file, receivers, posts, remove, only, say)
    except Fenced:
        raise AnotherRetry from None
    except InDoubt as doubt:
        raise Unreachable(
            f"a webhook was taken, and its dead letter may still be there ({doubt}): start again, which may"
            " send it once more with the same webhook-id"
        ) from None
    finally:
        writer.give_up()


def send_letters(
    letters: Standing,
    file: Path,
    receivers: Mapping[str, Receiver],
    posts: Mapping[str, Callable[[Message], Answer]],
    remove: Callable[[Letter], None],
    only: str | None,
    say: Callable[[str], None],
) -> Retried:
    """Send each dead letter once, at the rate of its trigger, unless it is removed meanwhile.

    Args:
        letters: the dead letters.
        file: the file of triggers, for messages.
        receivers: the receivers by trigger.
        posts: what posts a message, by trigger.
        remove: removes a dead letter that was taken.
        only: the trigger whose letters are sent; None for all.
        say: shows a sentence to people.
    """
    sent, not_sent = 0, dict[str, str]()
    may_post_s: dict[str, float] = {}
    for name, letter in letters.read().items():
        if only is not None and letter.trigger != only:
            continue
        if letter.trigger not in receivers:
            not_sent[name] = f"{file} has no trigger {letter.trigger}"
            continue
        receiver = receivers[letter.trigger]
        try:
            message = receiver.message(decode_change(letter.value))
        except (BadBody, BadChange) as error:
            not_sent[name] = str(error)
            continue
        _wait(letter.trigger, may_post_s.get(letter.trigger, 0.0), say)
        if not letters.stands(name):
            continue  # its user was erased meanwhile
        answer = posts[letter.trigger](message)
        pause_s = max(1.0 / receiver.trigger.rate, answer.retry_after_s or 0.0)
        may_post_s[letter.trigger] = time.monotonic() + pause_s
        if answer.taken:
            remove(letter)
            sent += 1
        else:
            not_sent[name] = answer.reason
    return Retried(sent, not_sent)


def _wait(trigger: str, until_s: float, say: Callable[[str], None]) -> None:
    pause_s = until_s - time.monotonic()
    if pause_s > _LONG_S:
        say(f"{trigger}: the next webhook goes out in {pause_s:,.0f} s.")
    if pause_s > 0:
        time.sleep(pause_s)
