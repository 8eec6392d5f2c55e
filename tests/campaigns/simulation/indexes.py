"""Check that an index has the users that a lane has noted, and is whole when a release first needs it."""

from collections.abc import Collection
from datetime import date

from schemas.partitioner import partition_of
from streamer.in_memory import MemoryRedis
from streamer.place import place as places
from streamer.place.place import Place
from streamer.segment.active_model import ActiveModel
from streamer.segment.neighbours import angle
from streamer.segment.scoring import Scorer
from streamer.user.stored import stored_state as states
from streamer.user.user_features import features
from streamer.user.user_state import UserState
from tests.campaigns.simulation.broken import BrokenPromise
from tests.campaigns.simulation.releases import Published
from tests.support.worlds.lane_world import World


def check_notes(
    world: World, redis: MemoryRedis, published: Published, days: Collection[date | None]
) -> None:
    """Check that each index noted in a place has each user of the lane at the right angle.

    Args:
        world: the world.
        redis: the Redis with the indexes.
        published: the releases.
        days: the days on which a lane may have decided.
    """
    scorers = {model.release.space: model.scorer for model in published.activations}
    for partition, place in _places(redis).items():
        for space, scorer in scorers.items():
            if noted(place, space):
                _check(world, redis, partition, space, scorer, days)


def check_used(
    world: World, redis: MemoryRedis, lane: int, model: ActiveModel, days: Collection[date | None]
) -> None:
    """Check that every lane has an index for the newest release before that release begins to decide.

    This holds while Redis has lost nothing. A lane that was taken over since then notes the index only after
    it has looked for remaining users, but it updates the index meanwhile.

    Args:
        world: the world.
        redis: the Redis with the indexes.
        lane: the lane that decides.
        model: the newest release.
        days: the days on which a lane may have decided.
    """
    here = _places(redis).get(lane)
    if here is None or here.sweep.by(model):
        return
    space = model.release.space
    for partition, place in _places(redis).items():
        if space not in (place.sweep.space, *place.sweep.filling):
            raise BrokenPromise(
                f"activation {model.activation} decides, and lane {partition} has no index for it"
            )
        _check(world, redis, partition, space, model.scorer, days)


def _places(redis: MemoryRedis) -> dict[int, Place]:
    """Return the places from which lanes can continue, by lane."""
    whole = {lane: stored for lane, stored in redis.places.items() if lane not in redis.torn}
    read = {lane: places.readable(stored) for lane, stored in whole.items()}
    return {lane: place for lane, place in read.items() if place is not None}


def noted(place: Place, space: str) -> bool:
    sweep = place.sweep
    return (sweep.whole and space == sweep.space) or (place.swept and space in (sweep.space, *sweep.filling))


def _check(
    world: World,
    redis: MemoryRedis,
    partition: int,
    space: str,
    scorer: Scorer,
    days: Collection[date | None],
) -> None:
    index = redis.indexes.get(space)
    for user_id, user in redis.users.items():
        if partition_of(user_id, world.partitions) == partition:
            state = states.decode(user_id, user.fields.get("state"), {})
            # With features of time, the user lies where it lay on the day when it was last decided.
            expected = {_angle(state, scorer, world, day) for day in set(days)}
            found = None if index is None else index._angles.get(user_id)
            if found not in expected:
                raise BrokenPromise(f"{user_id} lies at {expected} in {space}, and the index has {found}")


def _angle(state: UserState, scorer: Scorer, world: World, day: date | None) -> float | None:
    if not state.facts.alive:
        return None
    return angle(scorer.score(features(state, world.config.rules, day)).components)
