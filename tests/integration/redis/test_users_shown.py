"""Which users of a real Redis a command shows."""

from __future__ import annotations

from contextlib import closing

from schemas.input_events import UserErased
from segue.config.settings import Settings
from segue.connect.redis_users import RedisUsers
from segue.services import RedisService
from streamer.redis.redis_client import connect
from tests.support.checks.moves import YOUNG
from tests.support.strategies.events import START
from tests.support.worlds.bootstraps import fill
from tests.support.worlds.lane_world import World


def test_a_decision_without_facts_is_a_user_and_a_tombstone_is_none(
    redis_server: RedisService, redis_prefix: str
) -> None:
    """Both are as a bootstrap from an empty warehouse leaves them: 7 was decided, and 8 erased."""
    world = World()
    world.send(YOUNG, UserErased("8", START))
    world.run()
    world.lose_redis()
    world.kafka.offsets.clear()
    fill(world, [], positions={0: {"signups": 1, "orders": 0}})
    world.run()
    with closing(connect(redis_server.url)) as client:
        for user_id, user in world.redis.users.items():
            for name, value in user.fields.items():
                client.hset(f"{redis_prefix}user:{user_id}", name, value)

    with RedisUsers(Settings(redis=redis_server.url, redis_prefix=redis_prefix)) as users:
        cards = list(users.all_cards())
        assert {user_id for user_ids in users.user_ids() for user_id in user_ids} == {"7", "8"}
        assert sum(users.segments().values()) == len(cards)
        assert users.card("8") is None

    (card,) = cards
    assert (card.user_id, card.segment, card.sequence, card.components) == ("7", 2, 1, None)
    assert card.features["age"] is None
