"""docs/redis.md names every key, every field of a user, and the settings that Segue asks for."""

import re
from datetime import UTC, datetime
from pathlib import Path

from schemas.input_events import Item, Order, Signup
from schemas.outputs.segment_change import Cause
from segue.services.local import local_redis
from streamer.batch.batch_users import write_of
from streamer.interfaces.lane_interfaces import UserWrite
from streamer.place import place as places
from streamer.place.redis_keys import ORDER_PREFIX, Keys
from streamer.redis import redis_rights
from streamer.segment.decide_event import decide
from streamer.user.fold_events import fold
from streamer.user.history import FIELD_PREFIX, FIELDS
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState
from tests.support.servers.acl import documented_rights
from tests.support.worlds.made_up_release import an_active_model

PAGE = (Path(__file__).parents[2] / "docs" / "redis.md").read_text(encoding="utf-8")
NOW = datetime(2024, 6, 1, tzinfo=UTC)


def in_code(text: str) -> bool:
    return f"`{text}`" in PAGE


def a_write() -> UserWrite:
    state = fold(UserState("7"), Signup("7", NOW, age=30), Rules())
    state = fold(state, Order("7", "1", NOW, (Item(brand="a"),)), Rules())
    decided = decide(state, Cause(type="order"), NOW, an_active_model(), Rules(), NOW).state
    return write_of(None, decided, places.using(None, an_active_model()), {}, Rules(), None)


def test_every_key_is_there() -> None:
    for keys in (Keys(), Keys(tagged=True)):
        of_lane = [kind(0) for kind in (keys.place, keys.saves, keys.swept, keys.due)]
        of_users = [keys.user("<user_id>", 0), keys.orders("<user_id>", 0), keys.angles("<space>", 0)]
        for key in (*of_lane, *of_users, keys.rebuild(), keys.trial("<name>")):
            named = key.replace("{0}", "{<lane>}").replace(":0", ":<lane>")
            assert in_code(named), named


def test_the_rights_are_those_that_are_tried() -> None:
    assert documented_rights() == sorted({right for right, _ in redis_rights._commands("key")})


def test_every_field_of_a_user_is_there_and_no_other() -> None:
    write = a_write()
    table = PAGE.split("### Fields of a user")[1].split("The first six")[0]
    named = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)

    assert sorted(named) == sorted(
        [
            *(field for field in write.fields if field != FIELDS[0]),
            f"{FIELD_PREFIX}<n>",
            f"{ORDER_PREFIX}<order_id>",
        ]
    )


def test_the_settings_are_those_that_segue_starts_redis_with() -> None:
    for name, value in local_redis._SETTINGS.items():
        if name in {"maxmemory-policy", "appendonly", "appendfsync"}:
            assert f"| `{name}` | `{value}` |" in PAGE
    assert f"| `hash-max-listpack-value` | `{local_redis._SETTINGS['hash-max-ziplist-value']}` |" in PAGE
