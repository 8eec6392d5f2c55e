"""Somebody deletes the keys of a lane in Redis one by one, its place last, while the workers run."""

from collections.abc import Callable
from random import Random

from schemas.partitioner import partition_of
from streamer.in_memory import MemoryRedis, MemoryUser
from streamer.place import place as places
from streamer.user.stored import stored_state
from tests.campaigns.simulation.aof import AppendOnlyFile, Contents, drop_effects
from tests.campaigns.simulation.world import OPERATOR, SimWorld


class DeletedKeys:
    """The deletions of a seed. A tombstone stays: nothing else in Redis tells of it, so nobody misses it.

    Args:
        world: the world.
        random: decides whether, when and what; its own, so that it does not change the other faults.
    """

    def __init__(self, world: SimWorld, random: Random) -> None:
        self._world = world
        self._random = random
        self._rate = random.choice([0.0, 0.0, 0.05, 0.2])
        self._of = ("", 0)
        self._left: list[Callable[[], None]] = []
        self._finished = False

    def act(self) -> None:
        """Perhaps delete a few keys, or choose a lane and begin."""
        if self._random.random() >= self._rate:
            return
        if not self._left:
            self._begin()
        if self._left and not self._is_live(*self._of):
            self._left.clear()  # a rebuild fills the prefix, or has moved the lane
        for _ in range(min(self._random.randint(1, 3), len(self._left))):
            self._left.pop()()

    def finish(self) -> None:
        """Delete the places of the lanes that lack a key, once: whoever deletes all keys ends with them."""
        holes, self._finished = () if self._finished else sorted(self._world.holes), True
        for prefix, lane in holes:
            if self._is_live(prefix, lane) and self._lacks(prefix, lane):
                self._delete_place(prefix, lane)

    def _begin(self) -> None:
        world = self._world
        lane = self._random.randrange(world.partitions)
        if world.boots or world.moves or world.renewed or not world.may_start_from(AppendOnlyFile()):
            return
        prefix = world.live(lane, world.set_to[OPERATOR])
        if not self._is_live(prefix, lane):
            return
        self._of = (prefix, lane)
        world.say(f"somebody begins to delete the keys of lane {lane} under {prefix}")
        world.lossless, world.ledger.redis_has_lost = False, True
        world.ledger.keys_deleted = True
        world.holes.add((prefix, lane))
        keys: list[Callable[[], None]] = [lambda: self._delete_list(prefix, lane)]
        for user_id in self._alive(prefix, lane):
            keys += [
                lambda user_id=user_id: self._delete_user(prefix, user_id),  # type: ignore[misc]
                lambda user_id=user_id: self._delete_index(prefix, user_id),  # type: ignore[misc]
            ]
        self._random.shuffle(keys)
        self._left = [lambda: self._delete_place(prefix, lane), *keys]

    def _is_live(self, prefix: str, lane: int) -> bool:
        """Whether a lane lives under the prefix, and has a place there or is torn."""
        world = self._world
        stored = world.redises[prefix].places.get(lane)
        lives = world.live(lane, world.set_to[OPERATOR]) == prefix
        return lives and stored is not None and places.readable(stored) is not None

    def _alive(self, prefix: str, lane: int) -> list[str]:
        ours = (
            user_id
            for user_id in self._world.redises[prefix].users
            if partition_of(user_id, self._world.partitions) == lane
        )
        return [user_id for user_id in ours if self._is_alive(prefix, user_id)]

    def _is_alive(self, prefix: str, user_id: str) -> bool:
        user = self._world.redises[prefix].users.get(user_id, MemoryUser())
        return stored_state.decode(user_id, user.fields.get("state"), {}).facts.alive

    def _lacks(self, prefix: str, lane: int) -> bool:
        """Whether a user of the lane has no key, is not in the lane's set, or has no index of orders."""
        redis, world = self._world.redises[prefix], self._world
        newest = {record.key: record.value for record in world.records(world.topics.users)}
        decided = {key.decode() for key, value in newest.items() if key is not None and value is not None}
        ours = {user_id for user_id in decided if partition_of(user_id, world.partitions) == lane}
        if not ours <= redis.users.keys() or not ours <= redis.swept.get(lane, {}).keys():
            return True
        states = (stored_state.decode(one, redis.users[one].fields.get("state"), {}) for one in ours)
        return any(state.indexed and not redis.users[state.user_id].index for state in states)

    def _delete_user(self, prefix: str, user_id: str) -> None:
        def delete(redis: MemoryRedis) -> None:
            redis.users.pop(user_id, None)

        if self._is_alive(prefix, user_id):  # it may have been erased since
            self._do(f"user {user_id}", prefix, delete)

    def _delete_index(self, prefix: str, user_id: str) -> None:
        def delete(redis: MemoryRedis) -> None:
            if user_id in redis.users:
                redis.users[user_id].index.clear()

        self._do(f"the orders of {user_id}", prefix, delete)

    def _delete_list(self, prefix: str, lane: int) -> None:
        def delete(redis: MemoryRedis) -> None:
            redis.swept.pop(lane, None)

        self._do(f"the set of users of lane {lane}", prefix, delete)

    def _do(self, what: str, prefix: str, delete: Callable[[MemoryRedis], None]) -> None:
        self._world.say(f"   deleted under {prefix}: {what}")
        delete(self._world.redises[prefix])
        self._world.aof.append([lambda held: _in(held, prefix, delete)])

    def _delete_place(self, prefix: str, lane: int) -> None:
        """Delete the place and the count of saves, unless a mark stands there."""
        world = self._world
        if world.moves or not self._is_live(prefix, lane):
            return
        world.say(f"   deleted under {prefix}: the place of lane {lane}")
        del world.redises[prefix].places[lane], world.saves[prefix, lane]
        world.redises[prefix].torn.discard(lane)
        world.aof.append(drop_effects(prefix, lane))


def _in(held: Contents, prefix: str, delete: Callable[[MemoryRedis], None]) -> None:
    delete(held.redises[prefix])
