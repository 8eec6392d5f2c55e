"""The inputs of a lane: its settings, the releases, and the watcher of its progress."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Protocol

from msgspec import Struct

from schemas.inputs.forms.framed_values import Unframe, without_registry
from schemas.outputs.segment_change import Change
from schemas.release.model_release import ModelRelease
from schemas.topics import Topics
from streamer.batch.read_batch import MAX_AHEAD, Batch
from streamer.place.place import FoldSettings
from streamer.segment.active_model import ActiveModel, BootstrapRecord
from streamer.status.worker_status import Phase
from streamer.user.order_rules import Rules


class LaneConfig(Struct, frozen=True):
    """The settings that every lane of a worker shares.

    Attributes:
        topics: the names of the topics.
        rules: the settings of the fold and the scoring.
        settings: the settings that the lane's place records.
        similar_users: how many similar users a change names.
        max_batch: the most records in one transaction.
        place_check_s: an idle lane checks its place in Redis once in this many seconds.
        sweep_per_s: the most users that a lane re-decides in a second, after a new activation.
        max_ahead: how far a time in an event may lie ahead of its record's time.
        unframe: parses a value with the frame of a Schema Registry.
    """

    topics: Topics
    rules: Rules
    settings: FoldSettings
    similar_users: int = 5
    max_batch: int = 1_000
    place_check_s: float = 1.0
    sweep_per_s: float = 1_000.0
    max_ahead: timedelta = MAX_AHEAD
    unframe: Unframe = without_registry


class Models(Protocol):
    """The published releases that this worker has read."""

    def current(self) -> ActiveModel | None:
        """The release to score with; None if there is none yet."""

    def known_activation(self) -> int:
        """The newest activation that was read, even if it was refused; -1 before the first."""

    def problem(self) -> str | None:
        """Why there is no release, or why the newest release is not used; None if all is well."""

    def release_by_version(self, version: str) -> ModelRelease | None:
        """The published release with this version; None if it was never published.

        Raises:
            BadRelease: the release's record cannot be read.
        """

    def bootstrap_standing(self) -> BootstrapRecord | None:
        """The bootstrap that the log continues; None if the log holds the whole past."""


class Watcher(Protocol):
    """Receives the progress of a lane, for status and metrics. The lane's thread calls it."""

    def phase(self, phase: Phase, reason: str | None) -> None:
        """The lane enters this phase. ``reason`` explains the phase if it needs an explanation."""

    def reached(self, positions: dict[str, int], lag: dict[str, int]) -> None:
        """The lane's next offsets and its lag, by input; also called while the lane is idle."""

    def batch(self, batch: Batch, changes: Sequence[Change], seconds: dict[str, float]) -> None:
        """A batch was committed and saved; ``seconds`` is the time by step: load, decide, commit, save."""

    def swept(self, activation: int, users: int, changes: Sequence[Change], left: int) -> None:
        """A sweep batch was saved; also called if it had no users.

        Args:
            activation: the activation that decides in this sweep.
            users: how many users the batch re-decided.
            changes: the changes of these users.
            left: how many users the sweep has not reached yet.
        """

    def came_due(self, day: date, users: int, changes: Sequence[Change], left: int) -> None:
        """A batch of users who were due was saved; also called if it had no users.

        Args:
            day: the lane's day.
            users: how many users the batch decided.
            changes: the changes of these users.
            left: how many users are still due on this day.
        """
