"""A worker's status: its lanes, its group, its release, and why it is not ready."""

from datetime import date
from typing import Literal, Protocol

from msgspec import Struct

from streamer.status.drift_status import DriftStatus

Phase = Literal["taking over", "healing", "live", "waiting", "stopped"]
PHASES: tuple[Phase, ...] = ("taking over", "healing", "live", "waiting", "stopped")


class LaneStatus(Struct, frozen=True, kw_only=True):
    """The status of one lane. Times are seconds of the monotonic clock.

    Attributes:
        partition: the lane's partition number.
        phase: the lane's present phase.
        reason: why the lane is in this phase, if the phase needs an explanation.
        positions: the next offset, by input.
        lag: the records that are not yet read, by input.
        events: the applied events since the lane was opened.
        changes: the committed changes since the lane was opened.
        dead_letters: the dead letters since the lane was opened.
        activation: the activation that decides in the lane; None before the first sweep.
        sweep_left: how many users the sweep has not reached yet.
        day: the day on which the lane last decided users who were due; None before the first ones.
        due_left: how many users are still due on this day.
        last_progress: when the last batch ended; None before the first batch.
        waiting_since: since when events wait and no event was applied; None if no event waits.
        heard: when the lane last reported; None before the first report.
    """

    partition: int
    phase: Phase
    reason: str | None = None
    positions: dict[str, int] = {}
    lag: dict[str, int] = {}
    events: int = 0
    changes: int = 0
    dead_letters: int = 0
    activation: int | None = None
    sweep_left: int = 0
    day: date | None = None
    due_left: int = 0
    last_progress: float | None = None
    waiting_since: float | None = None
    heard: float | None = None


class GroupStatus(Struct, frozen=True, kw_only=True):
    """The status of the worker's membership.

    Attributes:
        name: the group's name.
        joined: the group has assigned lanes to the worker, perhaps none.
        owned: the numbers of the worker's lanes.
        halves: the partition numbers for which the worker has only one of the inputs.
        waiting: why the membership waits; None if it does not wait.
    """

    name: str
    joined: bool
    owned: tuple[int, ...]
    halves: tuple[int, ...]
    waiting: str | None


class ReleaseStatus(Struct, frozen=True, kw_only=True):
    """The release in use; ``version`` and ``activation`` are None before the first release."""

    version: str | None
    activation: int | None
    problem: str | None


class WorkerStatus(Struct, frozen=True, kw_only=True):
    """The content of ``/status``.

    Attributes:
        group: the worker's membership.
        release: the release in use.
        lanes: the lanes of this worker.
        ended: the names of the threads that have ended although they should run.
        drift: the last comparison of this worker's users with the training users; None if there is none.
    """

    group: GroupStatus
    release: ReleaseStatus
    lanes: tuple[LaneStatus, ...]
    ended: tuple[str, ...] = ()
    drift: DriftStatus | None = None


class StatusSource(Protocol):
    """Gives the worker's status; several threads call it."""

    def status(self) -> WorkerStatus:
        """The present status of the worker."""

    def ended(self) -> list[str]:
        """The names of the threads that have ended although they should run."""


def not_ready_because(status: WorkerStatus, now_s: float, no_progress_s: float) -> list[str]:
    """The reasons why this worker does not do all of its work now; empty if it is ready.

    A worker without a lane is ready: it is a spare.

    Args:
        status: the worker's status.
        now_s: the present time, in seconds of the monotonic clock.
        no_progress_s: how many seconds events may wait in a lane while no event is applied.
    """
    group, release = status.group, status.release
    reasons = [f"the thread {name} has ended" for name in status.ended]
    if group.waiting is not None:
        reasons.append(group.waiting)
    elif not group.joined:
        reasons.append(f"is not in the group {group.name} at the moment")
    if release.version is None:
        reasons.append(release.problem or "no release has been read yet")
    if group.halves:
        reasons.append(halves_sentence(group.halves))
    known = {lane.partition: lane for lane in status.lanes}
    for partition in group.owned:
        lane = known.get(partition)
        if lane is None:
            reasons.append(f"lane {partition} is not open yet")
        elif lane.phase != "live":
            reasons.append(f"lane {partition} is {lane.phase}" + (f": {lane.reason}" if lane.reason else ""))
        elif lane.waiting_since is not None and now_s - lane.waiting_since >= no_progress_s:
            waited_s = now_s - lane.waiting_since
            reasons.append(f"lane {partition} has applied none of the events that wait for {waited_s:.0f} s")
        elif lane.heard is not None and now_s - lane.heard >= no_progress_s:
            reasons.append(f"lane {partition} has hung for {now_s - lane.heard:.0f} s")
    return reasons


def halves_sentence(halves: tuple[int, ...]) -> str:
    """The sentence that explains why the worker does not process these half lanes.

    >>> halves_sentence((4, 5))
    'holds one input and not the other of the lanes 4, 5, and processes neither'
    """
    numbers = ", ".join(map(str, halves))
    return f"holds one input and not the other of the lanes {numbers}, and processes neither"
