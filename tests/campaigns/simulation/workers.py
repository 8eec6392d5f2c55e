"""Run lanes as :mod:`streamer.worker.lane_threads` does; the group may change their owner at any time."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from schemas.errors import NeedsRebuild, Unreachable
from streamer.interfaces.lane_errors import Fenced, InDoubt, LaneClosing, NotReady, Torn
from streamer.lane.lane import Lane
from tests.campaigns.simulation.faults import CallFaults
from tests.campaigns.simulation.releases import LaneModels, Read
from tests.campaigns.simulation.schedule import Task
from tests.campaigns.simulation.world import NAMES, OPERATOR, SimLog, SimStore, SimWorld, watched
from tests.support.worlds.failing_ends import Crash
from tests.support.worlds.lane_world import drain_all

# Wraps the log and the store of a lane.
Plant = Callable[[Any, Any], tuple[Any, Any]]


# An operator can help: finish a bootstrap or a rebuild, or rebuild the users of the bootstrap.
_CURABLE = ("did not end", "the users of the bootstrap are not in the log")


def is_curable(reason: NeedsRebuild) -> bool:
    return any(text in str(reason) for text in _CURABLE)


class Member:
    """One lane in one worker."""

    def __init__(
        self, worker: str, partition: int, open_lane: Callable[["Member"], Lane], say: Callable[[str], None]
    ) -> None:
        self.worker = worker
        self.partition = partition
        self.owns = False
        self.closing = False
        self.asleep_until = 0
        self._open = open_lane
        self._say = say
        self._taken = 0
        self.task = Task(f"{worker}{partition}", self._body)

    def may_run(self, step: int) -> bool:
        return self.asleep_until <= step

    def _body(self) -> None:
        while True:
            try:
                self._wait_for_the_group()
                lane = self._open(self)
                while not self.closing:
                    self._live(lane)
            except (Crash, LaneClosing):
                continue

    def _live(self, lane: Lane) -> None:
        try:
            self._taken += 1
            lane.take_over(f"{self.task.name}.{self._taken}")
            while not self.closing:
                lane.step(0.0)
        except Fenced:
            self._wait_for_the_group()
        except (InDoubt, NotReady, Unreachable):
            return
        except NeedsRebuild as reason:
            if not is_curable(reason):
                raise
            self._needs_operator(str(reason))

    def _needs_operator(self, reason: str) -> None:
        """End the worker; it starts again at its next turn."""
        self._say(f"{self.task.name} ends: {reason}")
        self.task.rest()
        raise Crash

    def _wait_for_the_group(self) -> None:
        while not self.owns:
            self.task.rest()


class Fleet:
    """Two workers, and the group that assigns the lanes to them."""

    def __init__(self, world: SimWorld, lane_class: type[Lane], plant: Plant, faults: CallFaults) -> None:
        self._world = world
        self._lane_class = watched(lane_class)
        self._plant = plant
        self._faults = faults
        self._read = {worker: Read(world.published, world.random) for worker in NAMES}
        self.members = [
            Member(worker, partition, self._open, world.say)
            for worker in NAMES
            for partition in range(world.partitions)
        ]
        for partition in range(world.partitions):
            self.assign(partition)

    def assign(self, partition: int) -> None:
        """Assign a lane to a random worker; the former owner may notice only later."""
        owner = self._world.random.choice(NAMES)
        self._world.say(f"the group gives lane {partition} to {owner}")
        for member in self.members:
            if member.partition == partition:
                member.owns = member.worker == owner
                member.closing = not member.owns and self._world.random.random() < 0.5

    def kill(self, worker: str) -> None:
        self._world.say(f"worker {worker} dies")
        for member in self.members:
            if member.worker == worker:
                member.task.interrupt(Crash())

    def end(self) -> None:
        for member in self.members:
            member.task.end()

    def drain_all(self) -> None:
        """Let one lane for each partition read to the end, without faults and without other tasks."""
        self._world.calm = True
        try:
            lanes = [self._lane(partition, OPERATOR, None) for partition in range(self._world.partitions)]
            try:
                self._drain(lanes)
            except Torn:  # the next takeover empties the lane
                self._drain(lanes)
        finally:
            self._world.calm = False

    def _drain(self, lanes: Sequence[Lane]) -> None:
        for lane in lanes:
            lane.take_over(self._world.writer())
        drain_all(lanes)

    def drain_where_possible(self) -> None:
        """Let all lanes read to the end, unless a lane needs an operator."""
        try:
            self.drain_all()
        except NeedsRebuild as reason:
            if not is_curable(reason):
                raise

    def _open(self, member: Member) -> Lane:
        return self._lane(member.partition, member.worker, member)

    def _lane(self, partition: int, who: str, member: Member | None) -> Lane:
        log, store = SimLog(self._world, partition), SimStore(self._world, partition, self._world.set_to[who])
        ends = (log, store)
        if member is not None:
            ends = (self._faults.wrap(log, member.task), self._faults.wrap(store, member.task))
        world = self._world
        behind = timedelta() if member is None else world.clock_behind()
        read = (
            Read(world.published, world.random).to_the_end() if member is None else self._read[member.worker]
        )
        planted = self._plant(*ends)
        lane = self._lane_class(
            partition,
            *planted,
            LaneModels(read),
            self._world.config,
            self._world.watcher,
            clock=lambda: world.now - behind,
            closing=lambda: member is not None and member.closing,
            monotonic=lambda: 0.0,
        )
        log.lane, log.store, store.lane = lane, store, lane
        return lane
