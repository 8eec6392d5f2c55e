"""Two shops in the shapes of strangers' exports, from the settings of docs/your-data.md alone: their tables
train a release and fill Redis as of a day, their later orders come as a stream.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segue.services import KafkaService, RedisService
from tests.support.inputs.strangers import write_electronics, write_sprocket
from tests.support.servers.deployment import Deployment, deployed
from tests.support.worlds.stream_later import stream_later

PAGE = (Path(__file__).parents[2] / "docs" / "your-data.md").read_text(encoding="utf-8")
SETTINGS = dict(re.findall(r"^```toml\n# (\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def deployment(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, tmp_path: Path
) -> Iterator[Deployment]:
    with deployed(
        Deployment(kafka.bootstrap, redis_server.url, topic_prefix, tmp_path, partitions=2)
    ) as made:
        yield made


@pytest.mark.long
@pytest.mark.parametrize(
    ("shop", "write", "as_of"),
    [
        ("electronics", write_electronics, "2020-07-01"),
        ("sprocket", write_sprocket, "2017-10-01"),
    ],
)
def test_a_strangers_shop_is_trained_and_streamed(
    shop: str, write: Callable[[Path], Path], as_of: str, deployment: Deployment, tmp_path: Path
) -> None:
    found = stream_later(deployment, SETTINGS[shop], write(tmp_path / "tables"), as_of)

    assert found.verified["differing"] == []
    assert {
        u: (found.redis.get(u), row) for u, row in found.tables.items() if found.redis.get(u) != row
    } == {}
    # Else it would prove nothing.
    assert len(found.tables) > 200
    assert len(found.moved) > 100, found.sent
    assert {name for row in found.tables.values() for name, value in row.items() if value is not None} == set(
        next(iter(found.tables.values()))
    )
