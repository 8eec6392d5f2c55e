"""Days of a shop on real servers: two workers, kills, an emptied Redis; each user moves once, on its day."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from segue.services import KafkaService, RedisService
from tests.campaigns.days.dated_servers import DatedServers
from tests.campaigns.days.shop_days import FEATURE_SETS, ShopDays
from tests.campaigns.days.walk_servers import DAYS, walk_servers
from tests.support.servers.deployment import deployed
from trainer.warehouse import open_warehouse

pytestmark = pytest.mark.long


def test_time_moves_each_user_once_and_on_its_day_through_kills_and_an_emptied_redis(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, tmp_path: Path
) -> None:
    features = FEATURE_SETS["windows"]
    servers = DatedServers(kafka.bootstrap, redis_server.url, topic_prefix, tmp_path, features)
    with deployed(servers.deployment), open_warehouse(str(files("segue") / "data" / "thelook")) as shop:
        days = list(walk_servers(servers, ShopDays(shop, features, date(2024, 3, 1), one_of=10)))
    assert len(days) == DAYS
    assert sum(day.changed for day in days) > 0
