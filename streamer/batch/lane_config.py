"""What a lane is given: its settings, the releases, and somebody who watches."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from msgspec import Struct

from schemas.outputs.segment_change import Change
from schemas.release.model_release import ModelRelease
from schemas.topics import Topics
from streamer.batch.read_batch import MAX_AHEAD, Batch
from streamer.place.place import FoldSettings
from streamer.segment.active_model import ActiveModel, BootstrapRecord
from streamer.status.worker_status import Phase
from streamer.user.order_rules import Rules


class LaneConfig(Struct, frozen=True):
    """What every lane of a worker shares.

    ``similar_users`` is how many a change names, ``max_batch`` how many records a transaction takes,
    ``place_check_s`` how often an idle lane looks whether its place still stands, and ``sweep_per_s`` how
    many users a second a lane decides anew at most, after a new activation. A time in an event may lie ``max_ahead``
    ahead of its record's own at most.
    """

    topics: Topics
    rules: Rules
    settings: FoldSettings
    similar_users: int = 5
    max_batch: int = 1_000
    place_check_s: float = 1.0
    sweep_per_s: float = 1_000.0
    max_ahead: timedelta = MAX_AHEAD


class Models(Protocol):
    """The releases that have been published, as far as this worker has read."""

    def current(self) -> ActiveModel | None:
        """The release to score with; None while there is none."""

    def known_activation(self) -> int:
        """The newest activation read, used or refused; -1 before the first."""

    def problem(self) -> str | None:
        """Why there is no release, or why the newest is not used."""

    def release_by_version(self, version: str) -> ModelRelease | None:
        """A release that was published; None for one that never was.

        Raises:
            BadRelease: its record cannot be read.
        """

    def bootstrap_standing(self) -> BootstrapRecord | None:
        """The bootstrap that the log continues; None where the log holds the whole past."""


class Watcher(Protocol):
    """Who is told what a lane does: status and metrics. Called from the lane's thread."""

    def phase(self, phase: Phase, reason: str | None) -> None:
        """What the lane does from now on, and why, where that is not plain."""

    def reached(self, positions: dict[str, int], lag: dict[str, int]) -> None:
        """The lane's next offsets, and how many lie ahead of them, by input; told while idle too."""

    def batch(self, batch: Batch, changes: Sequence[Change], seconds: dict[str, float]) -> None:
        """A batch was committed and saved; ``seconds`` by step: load, decide, commit, save."""

    def swept(self, activation: int, users: int, changes: Sequence[Change], left: int) -> None:
        """This activation decided so many users anew, and ``left`` are still to be; told, too, where none was."""
