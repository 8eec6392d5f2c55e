"""Faults at calls of a log or a store, and in the world. The seed weights each kind, often with 0."""

from collections.abc import Callable
from typing import Any, Literal

from schemas.errors import Unreachable
from streamer.interfaces.lane_errors import InDoubt
from tests.campaigns.simulation.aof import AppendOnlyFile
from tests.campaigns.simulation.events import Producers
from tests.campaigns.simulation.schedule import Task
from tests.campaigns.simulation.world import (
    NAMES,
    OPERATOR,
    Announcement,
    SimLeases,
    SimLog,
    SimStore,
    SimWorld,
)
from tests.support.worlds.failing_ends import Crash

CallFault = Literal["crash before", "crash after", "fails", "answer lost", "late"]
Ends = SimLog | SimStore | SimLeases | Announcement

# These methods only use the client's memory.
QUIET = frozenset({"at_end", "reached", "lag", "note_formers", "note_day", "close"})


class CallFaults:
    """The faults at the calls of a lane or a command."""

    def __init__(self, world: SimWorld) -> None:
        random = world.random
        self._world = world
        self._rate = random.choice([0.0, 0.01, 0.03, 0.06])
        kinds: list[CallFault] = ["crash before", "crash after", "fails", "answer lost", "late"]
        self._kinds = random.sample(kinds, random.randint(1, len(kinds)))

    def wrap(self, end: Ends, task: Task) -> Any:
        """Return the log or store with calls that wait for their turn and may fail."""
        return _Watched(end, lambda name, function, args: self._call(end, task, name, function, args))

    def _call(self, end: Ends, task: Task, name: str, function: Callable[..., Any], args: Any) -> Any:
        task.pause()
        world = self._world
        called = f"{task.name} {name}"
        fault = self._draw(name)
        if fault == "crash before":
            world.say(f"{called}: the process dies before it")
            raise Crash
        if fault == "late" and name in {"commit", "save"}:
            world.say(f"{called}: given up, and still on its way")
            assert isinstance(end, SimLog | SimStore)
            later = end.commit_later if isinstance(end, SimLog) else end.save_later
            later(*args)
            raise _error_of(name)
        if fault in {"fails", "late"}:
            world.say(f"{called}: fails")
            raise _error_of(name)
        result = function(*args)
        world.say(f"{called}{_brief(name, args)} -> {_brief_result(result)}")
        if fault == "crash after":
            world.say(f"{called}: the process dies after it")
            raise Crash
        if fault == "answer lost":
            world.say(f"{called}: the answer is lost")
            raise _error_of(name)
        return result

    def _draw(self, name: str) -> CallFault | None:
        random = self._world.random
        rate = self._rate * (4 if name in {"commit", "save"} else 1)
        return random.choice(self._kinds) if random.random() < rate else None


class WorldFaults:
    """Events between two calls: producers write, and topics, releases and Redis change."""

    def __init__(self, world: SimWorld, drain_all: Callable[[], None], kill: Callable[[str], None]) -> None:
        self._world = world
        self._drain_all = drain_all
        self._kill = kill
        self._producers = Producers(world, world.random)
        actions = {
            self._write: 8,
            self._lose_writes: 5,
            self._restart_redis: 5,
            self._empty_redis: 1,
            self._expire_offsets: 1,
            self._land: 4,
            self._delete_and_create: 2,
            self._activate: 3,
            self._set_prefix: 3,
        }
        self._actions = [action for action in actions if world.random.random() < 0.6] + [self._write]
        self._weights = [actions[action] for action in self._actions]

    def act(self) -> None:
        """Let a random event happen, if the present state allows it."""
        self._world.random.choices(self._actions, self._weights)[0]()

    def _write(self) -> None:
        for _ in range(self._world.random.randint(1, 5)):
            self._world.say(f"written: {self._producers.write()}")

    def _activate(self) -> None:
        self._world.say(f"activation {self._world.activate()}")

    def _land(self) -> None:
        if self._world.late:
            self._world.land(self._world.random.choice(self._world.late))

    def _lose_writes(self) -> None:
        """Lose Redis's newest writes, unless the lanes could not recover without an operator."""
        world = self._world
        number, saves = world.random.choice([1, 1, 1, 2, 3, 6]), len(world.aof.saves())
        if world.renewed or not saves:
            return
        if world.pointers and world.random.random() < 0.7:
            number = saves - world.pointers[-1]
        aof = world.cut(number)
        if world.may_start_from(aof):
            world.say(f"Redis loses its last {number} writes")
            world.lossless = False
            world.ledger.redis_has_lost = True
            world.restart_redis(aof)

    def _restart_redis(self) -> None:
        world = self._world
        aof = world.aof.started()
        if world.may_start_from(aof):
            world.restart_redis(aof)
            world.say(f"Redis restarts; torn lanes: {sorted(world.redis.torn)}")

    def _empty_redis(self) -> None:
        world = self._world
        if world.may_start_from(AppendOnlyFile()):
            world.say("Redis is emptied")
            world.empty_redis()

    def _expire_offsets(self) -> None:
        world = self._world
        partition = world.random.randrange(world.partitions)
        if not world.holes and all(
            world.place(lane, setting) is not None
            for lane in range(world.partitions)
            for setting in world.set_to.values()
        ):
            world.say(f"the group's offsets of partition {partition} expire")
            world.expire_offsets(partition)

    def _set_prefix(self) -> None:
        """Set a worker or the operator to the prefix that all lanes moved to; the worker restarts."""
        world = self._world
        who = world.random.choice([*NAMES, OPERATOR])
        under = {world.live(partition, world.set_to[OPERATOR]) for partition in range(world.partitions)}
        if len(under) == 1 and under != {world.set_to[who]}:
            world.set_to[who] = under.pop()
            world.say(f"{who} is set to {world.set_to[who]}")
            if who != OPERATOR:
                self._kill(who)

    def _delete_and_create(self) -> None:
        world = self._world
        if world.renewed or world.boots or world.moves or world.holes:
            return
        if world.random.random() < 0.1:
            self._drain_all()
        done = [topic for topic in world.topics.inputs if world.is_done_with(topic)]
        if done:
            topic = world.random.choice(done)
            world.say(f"topic {topic} is deleted and made anew")
            world.delete_and_create(topic)


class _Watched:
    def __init__(self, end: Ends, call: Callable[[str, Callable[..., Any], Any], Any]) -> None:
        self._end = end
        self._call = call

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._end, name)
        if not callable(function):
            return function
        watched = function if name in QUIET else lambda *args: self._call(name, function, args)
        setattr(self, name, watched)
        return watched


def _error_of(name: str) -> Exception:
    if name == "commit":
        return InDoubt("whether the transaction went through is not known")
    return Unreachable("nobody answers")


def _brief(name: str, args: Any) -> str:
    if name == "commit":
        return f" of {len(args[0])} records up to {args[1]}"
    if name == "save":
        return f" of {[write.user_id for write in args[2]]}"
    return f" {args[0]}" if name in {"read_from", "bounds"} else ""


def _brief_result(result: Any) -> str:
    if isinstance(result, list):
        return str([f"{r.topic}@{r.offset}" if hasattr(r, "offset") else "…" for r in result])
    return result.decode() if isinstance(result, bytes) else str(result)
