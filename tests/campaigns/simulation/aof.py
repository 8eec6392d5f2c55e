"""A model of Redis's append-only file, with the effect of a cut inside a command.

A save is MULTI, its effects, EXEC. At its start Redis cuts the file after the last whole command. If the file
ended between two commands, Redis removes an open transaction; if it ended inside a command, the head of the
transaction stays. Later saves follow the head, and the next start runs the head with the next EXEC: Redis
ignores the error of a MULTI in MULTI. redis-server 7.0 does this (tests/integration/redis/test_torn_save.py).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from streamer.in_memory import MemoryRedis, MemoryUser
from streamer.interfaces.lane_interfaces import UserWrite
from streamer.segment.neighbours import AngleIndex

# The settings have the first prefix; rebuilds fill the others, and lanes move there.
PREFIXES = ("segue:", "r1:", "r2:")

Effect = Callable[["Contents"], object]
Command = Effect | Literal["MULTI", "EXEC"]


@dataclass(slots=True)
class Contents:
    """The contents of Redis.

    By prefix: the users and places, and the prefix of a rebuild. By prefix and lane: the count of the saves,
    and the count that the place has.
    """

    redises: dict[str, MemoryRedis] = field(
        default_factory=lambda: {name: MemoryRedis() for name in PREFIXES}
    )
    saves: Counter[tuple[str, int]] = field(default_factory=Counter)
    numbers: Counter[tuple[str, int]] = field(default_factory=Counter)
    leases: dict[str, str] = field(default_factory=dict)


def effects_of(
    prefix: str, lane: int, number: int, place: bytes, writes: Sequence[UserWrite]
) -> list[Effect]:
    """Return the single effects of a save, in the order of ``streamer/redis/lua/save.lua``."""

    def count(held: Contents) -> None:
        held.saves[prefix, lane] += 1

    def set_place(held: Contents) -> None:
        held.redises[prefix].places[lane] = place
        held.numbers[prefix, lane] = number

    def of(write: UserWrite) -> list[Effect]:
        return [
            lambda held: _delete_fields(held.redises[prefix], write),
            lambda held: _set_fields(held.redises[prefix], write),
            lambda held: _put_angles(held.redises[prefix], write),
            lambda held: _put_swept(held.redises[prefix], lane, write),
            lambda held: held.redises[prefix].write_due(lane, write),
            lambda held: _put_index(held.redises[prefix], write),
        ]

    by_user = [of(write) for write in writes]
    fields = [effect for effects in by_user for effect in effects[:2]]
    sets = [effect for effects in by_user for effect in effects[2:]]
    return [count, *fields, *sets, set_place]


class AppendOnlyFile:
    """The commands in the file, and the way a server loads them."""

    def __init__(self) -> None:
        self.commands: list[Command] = []

    def append(self, effects: Sequence[Effect]) -> None:
        """Append the effects of a script, as a transaction."""
        self.commands += ["MULTI", *effects, "EXEC"]

    def saves(self) -> list[tuple[int, int]]:
        """Return the positions of MULTI and EXEC of each whole transaction."""
        marks = [(at, command) for at, command in enumerate(self.commands) if isinstance(command, str)]
        return [(at, end) for (at, _), (end, mark) in pairwise(marks) if mark == "EXEC"]

    def cut(self, at: int, *, inside: bool) -> "AppendOnlyFile":
        """Return the file after a cut and a start of Redis; ``inside``: the cut is inside a command."""
        left = AppendOnlyFile()
        left.commands = self.commands[:at]
        return left if inside else left.started()

    def started(self) -> "AppendOnlyFile":
        """Return the file after a start of Redis without a cut command: an open transaction is removed."""
        left = AppendOnlyFile()
        marks = [(at, command) for at, command in enumerate(self.commands) if isinstance(command, str)]
        is_open = bool(marks) and marks[-1][1] == "MULTI"
        left.commands = self.commands[: marks[-1][0]] if is_open else list(self.commands)
        return left

    def load(self) -> Contents:
        """Return the contents after a start with this file."""
        held = Contents()
        queued: list[Effect] | None = None
        for command in self.commands:
            if command == "MULTI":
                queued = [] if queued is None else queued
            elif command == "EXEC":
                for effect in queued or ():
                    effect(held)
                queued = None
            elif queued is not None:
                assert callable(command)
                queued.append(command)
        for prefix, redis in held.redises.items():
            redis.torn = torn(held, prefix)
        return held


def torn(held: Contents, prefix: str) -> set[int]:
    """Return the lanes with a save count unlike that in their place: see :mod:`streamer.redis.save_count`."""
    under = {lane: count for (name, lane), count in held.saves.items() if name == prefix}
    return {lane for lane, count in under.items() if count != held.numbers[prefix, lane]}


def drop_effects(prefix: str, lane: int) -> list[Effect]:
    """Return the effect that deletes a lane's place and count."""

    def drop(held: Contents) -> None:
        held.redises[prefix].places.pop(lane, None)
        del held.saves[prefix, lane], held.numbers[prefix, lane]

    return [drop]


def _delete_fields(redis: MemoryRedis, write: UserWrite) -> None:
    user = redis.users.setdefault(write.user_id, MemoryUser())
    for kept, written in ((user.fields, write.fields), (user.orders, write.orders)):
        for name, value in written.items():
            if value is None:
                kept.pop(name, None)


def _set_fields(redis: MemoryRedis, write: UserWrite) -> None:
    user = redis.users.setdefault(write.user_id, MemoryUser())
    for kept, written in ((user.fields, write.fields), (user.orders, write.orders)):
        for name, value in written.items():
            if value is not None:
                kept[name] = value.encode() if isinstance(value, str) else value


def _put_angles(redis: MemoryRedis, write: UserWrite) -> None:
    for space, angle in write.angles.items():
        redis.indexes.setdefault(space, AngleIndex()).put(write.user_id, angle)


def _put_index(redis: MemoryRedis, write: UserWrite) -> None:
    redis.users.setdefault(write.user_id, MemoryUser()).write_index(write.index)


def _put_swept(redis: MemoryRedis, lane: int, write: UserWrite) -> None:
    swept = redis.swept.setdefault(lane, {})
    if write.swept is None:
        swept.pop(write.user_id, None)
    else:
        swept[write.user_id] = write.swept
