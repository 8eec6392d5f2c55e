"""Run one seed: a world and two workers under faults; then, without faults, check every promise."""

from collections.abc import Callable
from random import Random
from unittest.mock import patch

from schemas.errors import NeedsRebuild
from streamer.user import order_index
from tests.campaigns.simulation.broken import BrokenPromise
from tests.campaigns.simulation.check import check_end
from tests.campaigns.simulation.deleted_keys import DeletedKeys
from tests.campaigns.simulation.faults import CallFaults, WorldFaults
from tests.campaigns.simulation.operators import (
    Commands,
    Operators,
    end_bootstrap,
    end_switch,
    help_out,
    live_prefixes,
)
from tests.campaigns.simulation.planted import PLANTS
from tests.campaigns.simulation.warehouse import give_a_past
from tests.campaigns.simulation.workers import Fleet, is_curable
from tests.campaigns.simulation.world import NAMES, OPERATOR, SimWorld


def run_seed(seed: int, plant: str = "nothing", trace: Callable[[str], None] | None = None) -> None:
    """Run one seed to its end.

    Args:
        plant: the fault of :mod:`tests.campaigns.simulation.planted` to plant.
        trace: gets a line for every step.

    Raises:
        BaseException: a promise is broken, or a lane met an error that ends a worker.
    """
    random = Random(seed)
    lines = [0]

    def say(text: str) -> None:
        if trace is not None:
            lines[0] += 1
            trace(f"{lines[0]:4} {text}")

    # A user with two orders already has an index, since few users have many orders here.
    with patch.object(order_index, "MOST_UNINDEXED", 1), PLANTS[plant]() as (lane_class, ends):
        world = SimWorld(random, Random(f"the days of {seed}"), say)
        calls = CallFaults(world)
        fleet = Fleet(world, lane_class, ends, calls)
        operators = Operators(world, calls)
        keys = DeletedKeys(world, Random(f"the keys of {seed}"))
        try:
            befall(world, fleet, operators, keys)
        finally:
            fleet.end()
            operators.end()
        say("the faults end")
        for late in list(world.late):
            world.land(late) if random.random() < 0.5 else world.late.remove(late)
        for _ in range(1 + (world.days.randint(0, 2) if world.config.rules.of_time else 0)):
            settle(world, fleet, keys)
            world.look_from(world.set_to[OPERATOR])
            check_end(world, world.ledger)
            world.pass_time()


def befall(world: SimWorld, fleet: Fleet, operators: Operators, keys: DeletedKeys) -> None:
    """Run the turns: in each, a fault or a move may come, and a worker or an operator makes some calls."""
    random = world.random
    faults = WorldFaults(world, fleet.drain_where_possible, fleet.kill)
    happens = random.choice([0.1, 0.2, 0.4])
    moves = random.choice([0.0, 0.02, 0.08])
    burst = random.choice([1, 3, 12])
    if random.random() < 0.2:
        _bootstrap(world, faults, operators, happens, burst)
    operates = random.choice([0.0, 0.0, 0.2, 0.5])
    passes = world.days.choice([0.02, 0.1, 0.3]) if world.config.rules.of_time else 0.0
    for turn in range(random.randint(40, 120)):
        if random.random() < happens:
            faults.act()
        keys.act()
        if random.random() < moves:
            _move(world, fleet, turn)
        if random.random() < operates:
            operators.begin()
        if world.days.random() < passes:
            world.pass_time()
        awake = [member.task for member in fleet.members if member.may_run(turn)]
        awake += [operator.task for operator in operators.busy] * 2
        if awake:
            random.choice(awake).resume(random.randint(1, burst))


def _bootstrap(
    world: SimWorld, faults: WorldFaults, operators: Operators, happens: float, burst: int
) -> None:
    """Run bootstraps before any worker starts, until a bootstrap has finished."""
    give_a_past(world)
    world.boots = True
    turns = 0
    while world.boots and (turns := turns + 1) < 60:
        if world.random.random() < happens:
            faults.act()
        if not operators.busy or world.random.random() < 0.02:
            operators.bootstrap()
        if operators.busy:
            world.random.choice(operators.busy).task.resume(world.random.randint(1, 3 * burst))
    if world.boots:
        end_bootstrap(world, Commands(world, lambda end: end, "peace"))


def settle(world: SimWorld, fleet: Fleet, keys: DeletedKeys) -> None:
    """Let all lanes read to the end; help a lane that asks for an operator, as the manual says."""
    commands = Commands(world, lambda end: end, "peace")
    for _ in range(3):
        try:
            end_switch(world, commands)
            keys.finish()
            fleet.drain_all()
        except NeedsRebuild as reason:
            if not is_curable(reason):
                raise
            world.say(f"a lane asks for an operator: {reason}")
            help_out(world, commands)
        else:
            # A lane that was left half emptied had no place to move with before it was healed here.
            if len(live_prefixes(world)) == 1:
                return
    raise BrokenPromise("the lanes still ask for an operator")


def _move(world: SimWorld, fleet: Fleet, turn: int) -> None:
    """Kill or pause a worker, or let the group assign a lane again; often do both."""
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
