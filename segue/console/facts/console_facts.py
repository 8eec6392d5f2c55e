"""What the pages and the API ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from schemas.release.model_release import ModelRelease
from segue.console.facts.console_files import ConsoleFiles
from segue.console.facts.drift_facts import DriftFacts
from segue.console.facts.letter_list import LetterList
from segue.console.facts.segment_counts import SegmentCounts
from segue.console.facts.trigger_counts import TriggerCounts
from segue.console.moves.flow_facts import Flow, Hours
from segue.show.user_card import UserCard
from segue.triggers.report.holdout_numbers import HoldoutReport
from trainer.publish.release_history import Published

DEADLINE_S = 5.0
"""Seconds that Kafka may take to answer: a person waits."""


class LaneState(Struct, frozen=True):
    """How the lanes do.

    Attributes:
        lanes: how many lanes there are.
        workers: how many workers have joined the group.
        behind: how many offsets all lanes are behind their inputs.
        dead_letters: how many offsets the topic of dead letters keeps: at most so many letters, because
            transaction markers count too.
        problem: why users are not counted; None if all are.
    """

    lanes: int
    workers: int
    behind: int
    dead_letters: int
    problem: str | None = None


class ConsoleFacts(Protocol):
    """The facts that the console shows. Any thread may ask.

    Every method raises :class:`~schemas.errors.Unreachable` if Kafka or Redis does not answer.
    """

    def user(self, user_id: str) -> tuple[UserCard, str | None]:
        """Return a user's card, and a sentence about left-out parts, as `segue user` shows them.

        Raises:
            UnknownUser: Redis does not have the user.
        """
        ...

    def imagined(self, features: Mapping[str, str | None], declared: Sequence[str]) -> UserCard:
        """Return the card of an imagined user, as `segue predict` shows it.

        Args:
            features: texts by default feature; None or blank for a missing value.
            declared: texts such as ``name=value``, for declared features.

        Raises:
            BadOption: a value cannot be used.
            BadRelease: there is no release in use.
        """
        ...

    def release(self) -> ModelRelease:
        """Return the release in use.

        Raises:
            BadRelease: there is no release in use.
        """
        ...

    def release_problem(self) -> str | None:
        """Return why there is no release, or why the newest is not used; None if all is well."""
        ...

    def segments(self) -> SegmentCounts:
        """Return the segments with their users; the count may be some seconds old."""
        ...

    def flow(self) -> Flow | None:
        """Return the moves of the last hour as `segue flow` counted them; None if it never ran."""
        ...

    def hours(self) -> Hours:
        """Return the moves by hour as `segue flow` counted them."""
        ...

    def drift(self) -> DriftFacts:
        """Return how the users differ from the training users; the sample may be some minutes old.

        Raises:
            BadTopics: the topics do not exist.
        """
        ...

    def releases(self) -> Published:
        """Return the published releases; they may be some seconds old."""
        ...

    def folder(self) -> ConsoleFiles:
        """Return the files of releases, which may be on another machine, and of triggers."""
        ...

    def letters(self) -> LetterList:
        """Return the newest dead letters; they may be some seconds old.

        Raises:
            BadTopics: there is no topic of dead letters.
        """
        ...

    def triggers(self) -> TriggerCounts | None:
        """Return what the triggers did, perhaps some seconds ago; None if they never ran."""
        ...

    def lift(self) -> tuple[HoldoutReport, ...]:
        """Return what each trigger with a holdout changed, perhaps some minutes ago.

        Raises:
            SegueError: there is nothing to compare; the sentence says what is missing.
        """
        ...

    def lanes(self) -> LaneState:
        """Return how the lanes do; it may be some seconds old.

        Raises:
            BadTopics: the topics do not exist.
        """
        ...
