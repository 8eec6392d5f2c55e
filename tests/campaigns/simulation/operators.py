"""At most two operators beside the workers, who run rebuild, switch, drop and bootstrap."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from schemas import times
from schemas.errors import BadTopics, NeedsRebuild, Unreachable
from segue.refill import rebuild_steps
from segue.refill.lane_past import LaneLog, reporting_unreadable_log
from segue.refill.rebuild_steps import Rebuilding, is_anew
from streamer.interfaces.lane_errors import Torn
from streamer.interfaces.lane_interfaces import UserWrite
from streamer.place import place as places
from streamer.place.place_marks import Refilling, encode_mark, moved_to
from streamer.refill import bootstrap_lanes as bootstraps
from streamer.refill.bootstrap_lanes import LaneEnds, NotFresh
from streamer.refill.rebuild_lane import WRITER, LaneInUse
from streamer.segment.active_model import BootstrapRecord
from tests.campaigns.simulation.aof import PREFIXES
from tests.campaigns.simulation.broken import BrokenPromise
from tests.campaigns.simulation.check import AS_OF
from tests.campaigns.simulation.faults import CallFaults
from tests.campaigns.simulation.filled import check_filled
from tests.campaigns.simulation.schedule import Task
from tests.campaigns.simulation.world import OPERATOR, Announcement, SimLeases, SimLog, SimStore, SimWorld
from tests.support.worlds.failing_ends import Crash

Wrap = Callable[[Any], Any]


class Operator:
    """An operator who runs one command at a time, as soon as it is given."""

    def __init__(self, name: str, world: SimWorld, faults: CallFaults) -> None:
        self._world = world
        self.command: tuple[str, str] | None = None
        self._given = False
        self.task = Task(name, self._body)
        self._commands = Commands(world, lambda end: faults.wrap(end, self.task), name)

    def begin(self, command: str, into: str) -> None:
        self._world.say(f"{self.task.name} begins: {command} {into}")
        self.command, self._given = (command, into), True

    def _body(self) -> None:
        while True:
            try:
                while not self._given:
                    self.task.rest()
                self._given = False
                self._run()
            except Crash:
                self._world.say(f"{self.task.name} dies")
            self.command = None

    def _run(self) -> None:
        assert self.command is not None
        name, into = self.command
        try:
            self._commands.run(name, into)
        except (BadTopics, LaneInUse, NeedsRebuild, NotFresh, Unreachable) as refused:
            self._world.say(f"{self.task.name}: {name} {into} ends: {refused}")


class OperatorStore(SimStore):
    """A command's store; it checks that no command harms states or leads a worker to partial states."""

    def clear(self, mark: bytes) -> int | None:
        for partition in range(self._world.partitions) if self._stands(mark) else ():
            self._spare(partition)
        return super().clear(mark)

    def _write(self, place: bytes, writes: Sequence[UserWrite]) -> None:
        into = moved_to(place)
        if into is None:
            self._spare(self._partition)
        else:
            check_filled(self._world, into, self._partition)
        super()._write(place, writes)

    def _spare(self, partition: int) -> None:
        for setting in set(self._world.set_to.values()):
            place = self._world.place(partition, setting)
            is_live = self._world.live(partition, setting) == self.prefix
            if is_live and place is not None and not place.writer.startswith((WRITER, bootstraps.WRITER)):
                raise BrokenPromise(f"lane {partition} lives under {self.prefix}, and that is written over")


class Commands:
    """The commands of an operator; ``wrap`` wraps the logs, stores and leases of a command."""

    def __init__(self, world: SimWorld, wrap: Wrap, name: str) -> None:
        self._world = world
        self._wrap = wrap
        self._name = name
        self._begun = 0
        self._leases = wrap(SimLeases(world))

    def run(self, name: str, into: str) -> None:
        commands: Mapping[str, Callable[[str], None]] = {
            "rebuild": self._rebuild,
            "switch": self._switch,
            "drop": self._drop,
            "bootstrap": self._bootstrap,
        }
        self._begun += 1
        commands[name](into)

    def _rebuild(self, into: str) -> None:
        world = self._world
        model, bootstrap, config = world.published.newest, world.published.bootstrap, world.config
        stored, live = self._followed()
        rebuild_steps.take(self._leases, live, into, self._followed(into)[1])
        done = Rebuilding(
            self._lane_log,
            "the group",
            config,
            model,
            bootstrap,
            None if bootstrap is None else lambda _: world.warehouse,
            {},
            lambda *_: None,
            world.today,
        ).fill(self._stores(into), f"{WRITER}{self._writer}", anew=is_anew(stored, config))
        world.say(f"{self._name}: rebuild into {into} is done: {done}")
        for lane in range(world.partitions):
            check_filled(world, into, lane)

    def _switch(self, into: str) -> None:
        world, setting = self._world, self._world.set_to[OPERATOR]
        _, live = self._followed()
        topic_ids = {
            name: world.kafka.topics[name].topic_id for name in (*world.topics.inputs, world.topics.users)
        }
        olds, news = self._stores(setting), self._stores(into)
        world.lossless = False
        world.switches += 1
        try:
            moved = rebuild_steps.switch(olds, news, into, topic_ids, self._leases, {live, setting})
        finally:
            world.switches -= 1
        world.say(f"{self._name}: {moved} lanes move to {into}")

    def _drop(self, into: str) -> None:
        _, live = self._followed()
        if into in (live, self._world.set_to[OPERATOR]):
            raise LaneInUse("the lanes are there")
        mark = encode_mark(Refilling("rebuild", f"drop {self._writer}", 1))
        rebuild_steps.drop(self._stores(into), mark, into, self._leases, live)
        self._world.say(f"{self._name}: {into} is dropped")

    def _bootstrap(self, into: str) -> None:
        world = self._world
        model, start = world.published.newest, world.starts
        record = BootstrapRecord(times.text(AS_OF), {str(lane): offsets for lane, offsets in start.items()})
        ends = {}
        for lane, store in enumerate(self._stores(into)):
            log = SimLog(world, lane)
            log.boots = model
            ends[lane] = LaneEnds(self._wrap(log), store, start[lane])
        done = bootstraps.bootstrap(
            ends,
            world.warehouse,
            AS_OF,
            model,
            world.config,
            clock=lambda: world.now,
            writer=f"{bootstraps.WRITER}{self._writer}",
            announce=self._wrap(Announcement(world, record)).announce,
            progress=lambda _: None,
        )
        world.say(f"{self._name}: the bootstrap is done: {done}")
        world.boots = False
        for lane in range(world.partitions):
            check_filled(world, world.live(lane, into), lane)

    @property
    def _writer(self) -> str:
        return f"{self._name}.{self._begun}"

    def _followed(self, setting: str | None = None) -> tuple[bytes | None, str]:
        """Return lane 0's place, and the prefix to which the lane has moved from the prefix ``setting``."""
        store = OperatorStore(self._world, 0, setting or self._world.set_to[OPERATOR])
        try:
            return self._wrap(store).follow(), store.prefix
        except Torn as torn:
            return torn.place, store.prefix

    def _stores(self, prefix: str) -> list[Any]:
        return [
            self._wrap(OperatorStore(self._world, lane, prefix)) for lane in range(self._world.partitions)
        ]

    @contextmanager
    def _lane_log(self, lane: int) -> Iterator[LaneLog]:
        with reporting_unreadable_log():
            log, topics = self._wrap(SimLog(self._world, lane)), self._world.topics
            committed = log.committed()
            bounds = {topic: log.watch(topic) for topic in (topics.users, topics.changes, *topics.inputs)}
            yield LaneLog(lane, log, committed, bounds)


class Operators:
    """Two operators who begin sensible commands, and sometimes useless commands."""

    def __init__(self, world: SimWorld, faults: CallFaults) -> None:
        self._world = world
        self.members = [Operator(name, world, faults) for name in ("op1", "op2")]

    @property
    def busy(self) -> list[Operator]:
        return [one for one in self.members if one.command is not None]

    def begin(self) -> None:
        """Let a free operator begin a random command."""
        world, free = self._world, [one for one in self.members if one.command is None]
        if free:
            command = self._sensible()
            if command is not None:
                world.random.choice(free).begin(*command)

    def bootstrap(self) -> None:
        free = [one for one in self.members if one.command is None]
        if free:
            self._world.random.choice(free).begin("bootstrap", self._world.set_to[OPERATOR])

    def end(self) -> None:
        for one in self.members:
            one.task.end()

    def _sensible(self) -> tuple[str, str] | None:
        world = self._world
        setting = world.set_to[OPERATOR]
        standing = world.leases.get(world.live(0, setting))
        into = standing or world.random.choice(PREFIXES)
        kinds = [
            "rebuild",
            "rebuild",
            "switch",
            "switch",
            "drop",
            *(["bootstrap"] if world.warehouse else []),
        ]
        kind = world.random.choice(kinds)
        running = {one.command[0] for one in self.busy if one.command is not None}
        if kind == "bootstrap":
            return kind, setting
        if kind == "switch" and (into == setting or "drop" in running):
            return None
        if kind == "drop":
            into = world.random.choice(PREFIXES)
            if "switch" in running or any(into in self._path(who) for who in world.set_to.values()):
                return None
        return kind, into

    def _path(self, setting: str) -> set[str]:
        """Return the prefixes on the way from the prefix ``setting`` to the lanes."""
        world, path = self._world, {setting}
        for partition in range(world.partitions):
            at = setting
            while (at := moved_to(world.redises[at].places.get(partition)) or "") and at not in path:
                path.add(at)
        return path


def help_out(world: SimWorld, commands: Commands) -> None:
    """Finish a bootstrap, or rebuild, without faults."""
    if world.warehouse:
        with suppress(NotFresh):
            commands.run("bootstrap", world.set_to[OPERATOR])
            return
    _rebuild(world, commands)


def end_bootstrap(world: SimWorld, commands: Commands) -> None:
    """Finish a bootstrap without faults: repeat it, or rebuild if Redis lost it, or use another group."""
    try:
        help_out(world, commands)
    except NeedsRebuild:
        world.say("another group begins")
        world.kafka.offsets.clear()
        world.empty_redis()
        commands.run("bootstrap", world.set_to[OPERATOR])
    world.boots = False


def live_prefixes(world: SimWorld) -> set[str]:
    """Return the prefixes that lanes are under: more than one after a partial switch."""
    return {world.live(lane, world.set_to[OPERATOR]) for lane in range(world.partitions)}


def end_switch(world: SimWorld, commands: Commands) -> None:
    """Finish a partial switch without faults: a new release waits until all lanes have moved."""
    lanes, live = range(world.partitions), live_prefixes(world)
    if len(live) > 1:
        filled = {
            prefix
            for prefix in live
            if all(places.readable(world.redises[prefix].places.get(lane, b"")) is not None for lane in lanes)
        }
        try:
            for into in filled:
                commands.run("switch", into)
        except NeedsRebuild:  # a part of a lost save came back there, so no lane can move there
            _rebuild(world, commands)


def _rebuild(world: SimWorld, commands: Commands) -> None:
    """Rebuild in place; if the lanes are in use, rebuild under another prefix and switch."""
    setting, live = world.set_to[OPERATOR], live_prefixes(world)
    if len(live) == 1:
        with suppress(LaneInUse):
            commands.run("rebuild", *live)
            return
    into = world.leases.get(world.live(0, setting))
    if into is None:
        into = next(prefix for prefix in PREFIXES if prefix not in {setting, *live})
    commands.run("drop", into)
    commands.run("rebuild", into)
    commands.run("switch", into)
