"""A console over facts in memory: a made-up release and a few users."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue

from fastapi import FastAPI
from msgspec import structs

from schemas.errors import BadRelease, SegueError
from schemas.features import FEATURE_NAMES
from schemas.outputs.segment_change import Change, SimilarUser
from schemas.release.model_release import ModelRelease, Segment
from segue.console.access.gate import Pass
from segue.console.actions.console_actions import ActionName
from segue.console.console_app import console_app
from segue.console.facts.console_facts import LaneState
from segue.console.facts.console_files import ConsoleFiles
from segue.console.facts.drift_facts import DriftFacts, drift_facts
from segue.console.facts.letter_list import LetterList, newest_letters
from segue.console.facts.segment_counts import SegmentCounts, segment_counts
from segue.console.facts.trigger_counts import TriggerCount, TriggerCounts
from segue.console.moves.flow_facts import Flow, Hour, Hours, SegmentFlow, SegmentHour, Step
from segue.console.viewers.change_hub import ChangeHub
from segue.events.dead_letter_topic import DeadLetter
from segue.look.explain_user import UnknownUser, score_imagined_user
from segue.look.what_if import features_for
from segue.show.user_card import UserCard
from segue.triggers.report.holdout_numbers import Comparison, Difference, Group, HoldoutReport
from streamer.status.drift_status import DriftStatus, FeatureDrift
from tests.support.worlds.made_up_release import an_active_model
from trainer.publish.release_history import Publication, Published

HOSTILE = "<script>alert(1)</script>\" onload='x' \x1b[31m\u202eevil\u2028/?#%"
COUNTED_AT = datetime(2024, 12, 3, 19, 30, tzinfo=UTC)


TRIGGERS = TriggerCounts(
    COUNTED_AT, 1, 120, 4, (TriggerCount("welcome", 17, 3, 2, {"other": 90, "cooldown": 8}),)
)


LIFT = (
    HoldoutReport(
        "welcome",
        0.1,
        28,
        COUNTED_AT,
        0,
        0,
        Comparison(
            Group(900, 90), Group(100, 30), None, (Difference("orders", 0.5, 0.3, 0.2, 0.05, 0.35, 0.21),)
        ),
    ),
    HoldoutReport(
        "gone",
        0.1,
        28,
        COUNTED_AT,
        5,
        0,
        Comparison(Group(9, 0), Group(1, 0), "9 users got the webhook and their days have passed", ()),
    ),
)


ENDED = Segment(7, "men who left", (0.0, 0.0), 12)
"""A segment that only an older release has."""


DRIFTED = DriftStatus(
    "v1",
    3,
    COUNTED_AT,
    500,
    400,
    0.2,
    (
        FeatureDrift("age", 0.312, 0.1, 0.0, 0.0),
        FeatureDrift("most_frequent_brand", 0.02, 0.1, 0.0, 0.07),
        FeatureDrift("total_orders", 0.01, 0.1, 0.0, 0.0),
    ),
)


FLOW = Flow(
    COUNTED_AT,
    9,
    (Step(0, 1, 6), Step(None, 0, 3)),
    (SegmentFlow(0, 3, 6), SegmentFlow(1, 6, 0)),
    "segue flow",
    COUNTED_AT,
)
HOURS = Hours(
    COUNTED_AT,
    COUNTED_AT,
    (
        Hour(COUNTED_AT.replace(minute=0), 9, (SegmentHour(0, 3, 6), SegmentHour(1, 6, 0))),
        Hour(COUNTED_AT.replace(hour=17, minute=0), 12, (SegmentHour(0, 0, 12), SegmentHour(7, 12, 0))),
    ),
)


def a_letter(place: str = "0:8", text: str = "age is -1") -> DeadLetter:
    """A dead letter of an order."""
    return DeadLetter(
        place, f"{text}: give 0 to 150", "orders", 1, 17, COUNTED_AT, COUNTED_AT, b"7", text.encode(),
        headers=(), retry_of=None, cut=False,
    )  # fmt: skip


class MadeUpActions:
    """Notes what it is asked to do; ``failure`` is raised instead."""

    def __init__(self) -> None:
        self.done: list[tuple[ActionName, dict[str, str]]] = []
        self.failure: SegueError | None = None

    def act(self, action: ActionName, fields: Mapping[str, str]) -> tuple[str, ...]:
        if self.failure is not None:
            raise self.failure
        self.done.append((action, dict(fields)))
        return f"Done: {action}.", "And a note."


def made_up_app(
    facts: MadeUpFacts,
    hub: ChangeHub,
    token: str | None = None,
    write_token: str | None = None,
    actions: MadeUpActions | None = None,
) -> FastAPI:
    """A console over made-up facts."""
    return console_app(facts, hub, Pass(token, write_token), actions or MadeUpActions())


@dataclass
class MadeUpFacts:
    """Facts in memory; ``failure`` stands for a server that does not answer."""

    cards: dict[str, UserCard] = field(default_factory=dict)
    counts: Mapping[int, int] = field(default_factory=lambda: {0: 30, 1: 10, 7: 10})
    current: ModelRelease | None = field(default_factory=lambda: an_active_model().release)
    failure: SegueError | None = None
    drifted: DriftStatus | None = field(default_factory=lambda: DRIFTED)
    files: ConsoleFiles = field(default_factory=lambda: ConsoleFiles(Path("/nowhere")))
    dead: tuple[DeadLetter, ...] = field(default_factory=lambda: (a_letter(), a_letter("0:9", HOSTILE)))
    reports: tuple[HoldoutReport, ...] | SegueError = LIFT
    counts_of_triggers: TriggerCounts | None = field(default_factory=lambda: TRIGGERS)
    problem_of_lanes: str | None = None
    moves: Flow | None = None
    by_hour: Hours = field(default_factory=lambda: Hours(None, None, ()))

    def user(self, user_id: str) -> tuple[UserCard, str | None]:
        self._answer()
        if user_id not in self.cards:
            raise UnknownUser(f"user {user_id!r} is not in Redis")
        return self.cards[user_id], None

    def imagined(self, features: Mapping[str, str | None], declared: Sequence[str]) -> UserCard:
        release = self.release()
        features = {**dict.fromkeys(FEATURE_NAMES), **features}
        card = score_imagined_user(features_for(release, features, declared), release)
        return replace(card, similar_users=(SimilarUser("12", 0.75, 3),))

    def release(self) -> ModelRelease:
        self._answer()
        if self.current is None:
            raise BadRelease("no release was published yet")
        return self.current

    def release_problem(self) -> str | None:
        return None

    def segments(self) -> SegmentCounts:
        self._answer()
        model = None if self.current is None else an_active_model(3, self.current)
        return segment_counts(model, self.counts, COUNTED_AT)

    def flow(self) -> Flow | None:
        return self.moves

    def hours(self) -> Hours:
        return self.by_hour

    def drift(self) -> DriftFacts:
        self._answer()
        model = None if self.current is None else an_active_model(3, self.current)
        return drift_facts(model, None if model is None else self.drifted)

    def releases(self) -> Published:
        self._answer()
        if self.current is None:
            return Published()
        known = Publication(self.release(), "2024-12-01T08:00:00Z", "2024-12-02T09:30:00Z", (1, 3))
        first = an_active_model().release
        older = structs.replace(first, version="0" * 12, segments=(*first.segments, ENDED))
        return Published((Publication(older, None, None), known), known, 3)

    def folder(self) -> ConsoleFiles:
        return self.files

    def letters(self) -> LetterList:
        self._answer()
        return newest_letters(self.dead, COUNTED_AT)

    def triggers(self) -> TriggerCounts | None:
        self._answer()
        return self.counts_of_triggers

    def lift(self) -> tuple[HoldoutReport, ...]:
        if isinstance(self.reports, SegueError):
            raise self.reports
        return self.reports

    def lanes(self) -> LaneState:
        self._answer()
        return LaneState(lanes=4, workers=1, behind=12, dead_letters=3, problem=self.problem_of_lanes)

    def _answer(self) -> None:
        if self.failure is not None:
            raise self.failure


class MadeUpFeed:
    """A feed of the changes that a test sends; an error that it sends is raised."""

    def __init__(self) -> None:
        self._sent: SimpleQueue[Change | SegueError] = SimpleQueue()
        self._held: tuple[ChangeHub, Sequence[Change | SegueError]] | None = None

    def send(self, *sent: Change | SegueError) -> None:
        for each in sent:
            self._sent.put(each)

    def send_to_a_viewer(self, hub: ChangeHub, *sent: Change | SegueError) -> None:
        """Send as soon as the hub has a viewer."""
        self._held = hub, sent

    def take(self, timeout_s: float) -> Change | None:
        if self._held is not None and self._held[0].viewers:
            self.send(*self._held[1])
            self._held = None
        try:
            sent = self._sent.get(timeout=timeout_s) if timeout_s else self._sent.get_nowait()
        except Empty:
            return None
        if isinstance(sent, SegueError):
            raise sent
        return sent

    def close(self) -> None:
        """Keep the queue for the hub that opens the feed again."""

    def open(self) -> Callable[[], MadeUpFeed]:
        return lambda: self
