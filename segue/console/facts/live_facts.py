"""The facts of a running Segue, by its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from schemas.release.model_release import ModelRelease
from segue.config.command_line import BadUsage
from segue.config.settings import Settings
from segue.connect.group_members import members_of
from segue.connect.live_prefix import followed
from segue.connect.redis_users import TIMEOUT_S, RedisUsers
from segue.connect.release_in_use import in_use, usable_or_none
from segue.connect.wait_for_servers import short_patience
from segue.console.facts.console_facts import DEADLINE_S, LaneState
from segue.console.facts.console_files import ConsoleFiles
from segue.console.facts.drift_facts import DriftFacts, drift_facts
from segue.console.facts.lanes_without_place import lanes_without_place
from segue.console.facts.letter_list import LetterList, newest_letters
from segue.console.facts.paced_value import PacedValue
from segue.console.facts.renewed_admin import RenewedAdmin
from segue.console.facts.segment_counts import SegmentCounts, segment_counts
from segue.console.facts.trigger_counts import TriggerCounts, read_trigger_counts
from segue.console.moves.flow_facts import Flow, Hours
from segue.console.moves.moves_reader import MovesReader
from segue.doctor.on_drift import sampled_drift
from segue.doctor.on_kafka import kept, lags, read_places
from segue.events.dead_letter_topic import DeadLetters
from segue.look.explain_user import explained_user, imagined_user
from segue.look.what_if import features_for
from segue.show.user_card import UserCard
from segue.triggers.report.holdout_numbers import HoldoutReport
from segue.triggers.report.report_triggers import DAYS, report_triggers
from streamer.kafka.kafka_admin import Admin
from streamer.kafka.kafka_client import Deadlines
from streamer.kafka.models_topic import ModelsTopic
from streamer.releases.release_follower import Releases
from trainer.publish.release_history import Published, published

Found = TypeVar("Found")

_COUNT_S, _LANES_S, _RELEASES_S, _LETTERS_S, _TRIGGERS_S = 5.0, 2.0, 2.0, 5.0, 5.0
_DRIFT_S, _LIFT_S = 60.0, 60.0
_KAFKA_MOST_S = 60.0
"""Kafka is asked again after this time even if an answer was slow, since it may have been away."""


class LiveFacts:
    """:class:`~segue.console.facts.console_facts.ConsoleFacts` of the Kafka and the Redis of the settings.

    It follows the releases, and the tables of `segue flow`, until it is closed.

    Args:
        settings: name the Kafka, the Redis, the topics and the group.
        files: the folder of releases, and the file of triggers.

    Raises:
        Unreachable: Kafka does not answer.
    """

    def __init__(self, settings: Settings, files: ConsoleFiles) -> None:
        self._settings, self._files = settings, files
        self._releases = Releases(
            settings.kafka_client,
            settings.topics,
            settings.read_features,
            time_zone=settings.time_zone,
            deadlines=Deadlines(request_s=DEADLINE_S),
        )
        self._admin = RenewedAdmin(lambda: Admin(settings.kafka_client, DEADLINE_S))
        self._segments = PacedValue(self._count, _COUNT_S)
        self._drift = PacedValue(self._compare, _DRIFT_S)
        self._lanes = PacedValue(self._look_at_lanes, _LANES_S, most_s=_KAFKA_MOST_S)
        self._published = PacedValue(self._read_releases, _RELEASES_S, most_s=_KAFKA_MOST_S)
        self._letters = PacedValue(_soon(self._read_letters), _LETTERS_S, most_s=_KAFKA_MOST_S)
        self._triggers = PacedValue(_soon(self._read_triggers), _TRIGGERS_S, most_s=_KAFKA_MOST_S)
        self._lift = PacedValue(_soon(self._report_triggers), _LIFT_S)
        self._moves = MovesReader(settings)
        self._releases.start()
        self._moves.start()

    def close(self) -> None:
        """Stop to follow the releases and the moves."""
        self._moves.close()
        self._releases.close()

    def user(self, user_id: str) -> tuple[UserCard, str | None]:
        return explained_user(user_id, self._settings, lambda: usable_or_none(self._releases))

    def imagined(self, features: Mapping[str, str | None], declared: Sequence[str]) -> UserCard:
        release = self.release()
        return imagined_user(features_for(release, features, declared), release, self._settings)

    def release(self) -> ModelRelease:
        return in_use(self._releases, self._settings).release

    def release_problem(self) -> str | None:
        return self._releases.problem()

    def segments(self) -> SegmentCounts:
        return self._segments.get()

    def flow(self) -> Flow | None:
        return self._moves.flow()

    def hours(self) -> Hours:
        return self._moves.hours()

    def drift(self) -> DriftFacts:
        return self._drift.get()

    def releases(self) -> Published:
        return self._published.get()

    def folder(self) -> ConsoleFiles:
        return self._files

    def letters(self) -> LetterList:
        return self._letters.get()

    def triggers(self) -> TriggerCounts | None:
        return self._triggers.get()

    def lift(self) -> tuple[HoldoutReport, ...]:
        return self._lift.get()

    def lanes(self) -> LaneState:
        return self._lanes.get()

    def _count(self) -> SegmentCounts:
        counted_at = datetime.now(UTC)
        with RedisUsers(followed(self._settings, TIMEOUT_S)) as users:
            counts = users.segments()
        return segment_counts(self._releases.current(), counts, counted_at)

    def _compare(self) -> DriftFacts:
        model = self._releases.current()
        if model is None:
            return drift_facts(None, None)
        with self._admin.lent() as admin:
            lanes = admin.topic(self._settings.topics.signups).partitions
        return drift_facts(model, sampled_drift(self._settings, lanes, model))

    def _look_at_lanes(self) -> LaneState:
        settings, topics = self._settings, self._settings.topics
        with self._admin.lent() as admin:
            lanes = admin.topic(topics.signups).partitions
        at = followed(settings, TIMEOUT_S)
        with RedisUsers(at) as users:
            places = read_places(users, lanes)
        workers = members_of(settings.kafka_client, settings.group, DEADLINE_S)
        with self._admin.lent() as admin:
            behind = (lags(settings, admin, lane, places.get(lane)) for lane in range(lanes))
            return LaneState(
                lanes,
                workers,
                sum(sum(each.values()) for each in behind),
                kept(admin, topics.dead_letters),
                lanes_without_place([lane for lane, place in places.items() if place is None], at),
            )

    def _read_letters(self) -> LetterList:
        return newest_letters(DeadLetters(self._settings), datetime.now(UTC))

    def _read_triggers(self) -> TriggerCounts | None:
        settings, now = self._settings, datetime.now(UTC)
        with self._admin.lent() as admin:
            lanes = admin.topic(settings.topics.changes).partitions
            return read_trigger_counts(settings, admin, lanes, now, DEADLINE_S)

    def _report_triggers(self) -> tuple[HoldoutReport, ...]:
        file, warehouse = self._files.triggers, self._files.warehouse
        if file is None or warehouse is None:
            raise BadUsage(
                "the console has no orders to compare: start it with --triggers FILE --warehouse PATH_OR_URL"
            )
        return tuple(report_triggers(self._settings, file, warehouse, DAYS))

    def _read_releases(self) -> Published:
        settings = self._settings
        return published(ModelsTopic(settings.topics, settings.kafka_client, DEADLINE_S).read())


def _soon(compute: Callable[[], Found]) -> Callable[[], Found]:
    """Return the computation with a wait for Kafka that is as short as a person's."""

    def soon() -> Found:
        with short_patience(DEADLINE_S):
            return compute()

    return soon
