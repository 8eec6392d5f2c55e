"""One seed: a world, two workers and what befalls them; then peace, and every promise is checked."""

from collections.abc import Callable
from random import Random
from unittest.mock import patch

from streamer import order_index
from tests.simulation.check import check_end
from tests.simulation.faults import WorldFaults
from tests.simulation.planted import PLANTS
from tests.simulation.workers import NAMES, Fleet
from tests.simulation.world import SimWorld


def run_seed(seed: int, plant: str = "nothing", trace: Callable[[str], None] | None = None) -> None:
    """Run one seed to its end.

    Args:
        plant: a fault of :mod:`tests.simulation.planted` to break the lane with.
        trace: is told every step.

    Raises:
        BaseException: a promise is broken, or a lane met an error that ends a worker.
    """
    random = Random(seed)
    lines = [0]

    def say(text: str) -> None:
        if trace is not None:
            lines[0] += 1
            trace(f"{lines[0]:4} {text}")

    # A user of two orders has an index of them: few have many here.
    with patch.object(order_index, "MOST_UNINDEXED", 1), PLANTS[plant]() as (lane_class, ends):
        world = SimWorld(random, say)
        fleet = Fleet(world, lane_class, ends)
        try:
            befall(world, fleet)
        finally:
            fleet.end()
        say("the faults end")
        for late in list(world.late):
            world.land(late) if random.random() < 0.5 else world.late.remove(late)
        fleet.drain_all()
        check_end(world, world.ledger)


def befall(world: SimWorld, fleet: Fleet) -> None:
    """Turn by turn: somebody makes some calls, or something happens."""
    random = world.random
    faults = WorldFaults(world, fleet.drain_all)
    happens = random.choice([0.1, 0.2, 0.4])
    moves = random.choice([0.0, 0.02, 0.08])
    burst = random.choice([1, 3, 12])
    for turn in range(random.randint(40, 120)):
        if random.random() < happens:
            faults.act()
        if random.random() < moves:
            _move(world, fleet, turn)
        awake = [member for member in fleet.members if member.may_run(turn)]
        if awake:
            random.choice(awake).task.resume(random.randint(1, burst))


def _move(world: SimWorld, fleet: Fleet, turn: int) -> None:
    """A worker dies or pauses, or the group changes its mind; often one follows from the other."""
    random = world.random
    kind = random.choice(["dies", "pauses", "assign"])
    if kind == "dies":
        fleet.kill(random.choice(NAMES))
    if kind == "pauses":
        worker = random.choice(NAMES)
        world.say(f"worker {worker} pauses")
        for member in fleet.members:
            if member.worker == worker:
                member.asleep_until = turn + random.randint(2, 30)
    if kind == "assign" or random.random() < 0.5:
        fleet.assign(random.randrange(world.partitions))
