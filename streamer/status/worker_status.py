"""What a worker says of itself: its lanes, its group, its release, and why it is not ready."""

from typing import Literal, Protocol

from msgspec import Struct

Phase = Literal["taking over", "healing", "live", "waiting", "stopped"]
PHASES: tuple[Phase, ...] = ("taking over", "healing", "live", "waiting", "stopped")


class LaneStatus(Struct, frozen=True, kw_only=True):
    """One lane at this moment.

    ``positions`` are the next offsets and ``lag`` the records not yet read, by input topic. The counts
    are since the lane was opened. ``activation`` is the one that decides in the lane, and ``sweep_left`` how many users
    it has still to decide anew, or to fill an index with. ``last_progress`` is on the monotonic clock, in seconds; None before
    the first batch. So are ``waiting_since``, since when events wait and none was applied, None where none waits; and
    ``heard``, when the lane told last how far it is.
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
    last_progress: float | None = None
    waiting_since: float | None = None
    heard: float | None = None


class GroupStatus(Struct, frozen=True, kw_only=True):
    """The worker's membership.

    ``joined`` is whether the group has given the worker its share, which may be nothing. ``halves`` are
    the numbers of which the worker holds one input and not the other. ``waiting`` says for what the
    membership waits.
    """

    name: str
    joined: bool
    owned: tuple[int, ...]
    halves: tuple[int, ...]
    waiting: str | None


class ReleaseStatus(Struct, frozen=True, kw_only=True):
    """The release in use: ``version`` and ``activation`` are None before the first."""

    version: str | None
    activation: int | None
    problem: str | None


class WorkerStatus(Struct, frozen=True, kw_only=True):
    """Everything that ``/status`` shows. ``ended`` names the threads that should live and do not."""

    group: GroupStatus
    release: ReleaseStatus
    lanes: tuple[LaneStatus, ...]
    ended: tuple[str, ...] = ()


class StatusSource(Protocol):
    """Whoever can tell how the worker is; asked from several threads."""

    def status(self) -> WorkerStatus:
        """The worker at this moment."""

    def ended(self) -> list[str]:
        """The threads that should live and do not."""


def not_ready_because(status: WorkerStatus, now_s: float, no_progress_s: float) -> list[str]:
    """Why this worker does not do all of its work now; empty when it does.

    A worker to which the group gives no lane is ready: it is a spare.

    Args:
        now_s: on the monotonic clock.
        no_progress_s: how long events may wait in a lane while none is applied.
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
    """Why the worker leaves these numbers alone.

    >>> halves_sentence((4, 5))
    'holds one input and not the other of the lanes 4, 5, and processes neither'
    """
    numbers = ", ".join(map(str, halves))
    return f"holds one input and not the other of the lanes {numbers}, and processes neither"
