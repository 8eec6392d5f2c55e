"""Sends the inputs of dead letters again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from segue.config.command_line import BadUsage
from segue.config.settings import Settings
from segue.connect.wait_for_servers import answer_s
from segue.events.dead_letter_topic import (
    DeadLetter,
    DeadLetters,
    Selection,
    find,
    outgoing,
    why_unsendable,
)
from segue.events.send_events import Outgoing, Sender
from streamer.kafka.topics_admin import DEADLINE_S, check_topics


def letters_counted(count: int) -> str:
    """Return a number of dead letters in words."""
    return "1 dead letter" if count == 1 else f"{count:,} dead letters"


@dataclass(slots=True)
class Resend:
    """Dead letters to send again.

    Attributes:
        settings: name the Kafka and the topics.
        letters: all dead letters.
        selection: the criteria.
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

    def look(self, progress: Callable[[int], None] = lambda _: None) -> None:
        """Find all letters to send, before the first letter is sent.

        Args:
            progress: called after each letter with the count of letters so far.

        Raises:
            BadUsage: there is no letter at a place that the selection names.
            BadTopics: the topics do not exist.
        """
        deadline_s = answer_s(DEADLINE_S)
        check_topics(self.settings.kafka_client, self.settings.topics, deadline_s=deadline_s)
        found = find(self.letters, self.selection, progress)
        named = self.selection.places
        if named - found.places:
            raise BadUsage(
                f"there is no dead letter at {', '.join(sorted(named - found.places))}:"
                " see segue dead-letters list"
            )
        # A letter that the user names is always sent. A filter selects only the newest letter of each input.
        self.wanted = found.places if named else found.places - found.older
        self.older = len(found.places) - len(self.wanted)

    def events(self, shown: Callable[[DeadLetter], None] = lambda _: None) -> Iterator[Outgoing]:
        """Yield the records to send, and note the letters that cannot be sent.

        Args:
            shown: called with each letter that is sent.
        """
        for letter in self.letters:
            if letter.place not in self.wanted:
                continue
            reason = why_unsendable(letter, self.settings.topics.sources)
            if reason is not None:
                self.not_sent[letter.place] = reason
                continue
            shown(letter)
            yield outgoing(letter, self.settings)

    def send(self, progress: Callable[[int], None] = lambda _: None) -> Counter[str]:
        """Send the letters, and return how many went to each topic.

        Raises:
            NotDelivered: Kafka refused an event.
            Unreachable: Kafka did not take an event in time.
        """
        sender = Sender(self.settings.kafka_client, self.settings.partitioner)
        return Counter(sender.send(self.events(), progress).by_topic)


def resent_words(sent: Counter[str], *, dry_run: bool = False) -> str:
    """Say how many letters were sent, and where to.

    >>> resent_words(Counter(orders=2))
    '2 dead letters sent again: 2 to orders.'
    """
    by_topic = ", ".join(f"{count:,} to {topic}" for topic, count in sorted(sent.items()))
    would = "would be sent" if dry_run else "sent again"
    return f"{letters_counted(sent.total())} {would}{f': {by_topic}' if by_topic else ''}."


def older_words(older: int) -> str:
    """Say why letters are left out for which a newer letter stands."""
    return f"{letters_counted(older)} left out: each was sent again before, and has a newer letter."
