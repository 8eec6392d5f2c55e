"""Which wrong values make a record a dead letter: those in a field that a declared feature reads."""

import json

import pytest

from schemas.features import Feature
from schemas.topics import Topics
from streamer.batch.read_batch import MAX_AHEAD, Batch, read_batch
from streamer.interfaces.lane_interfaces import Record
from streamer.place.place import FoldSettings
from tests.support.inputs.bad_events import ORDER

TOPICS = Topics()
SPEND = Feature("spend", "sum", "order_value")


def read(settings: FoldSettings, **fields: object) -> Batch:
    value = json.dumps(ORDER | fields).encode()
    record = Record(TOPICS.orders, 0, 0, b"7", value, 1_706_693_400_000)
    return read_batch([record], {TOPICS.orders: 0}, TOPICS, settings, MAX_AHEAD)


@pytest.mark.parametrize(
    ("wrong", "reader"),
    [
        ({"items": [{"brand": "Acme", "price": "12,50"}]}, FoldSettings(1, declared=(SPEND,))),
        ({"status": 5}, FoldSettings(1, exclude_statuses=("Cancelled",))),
        ({"status": 5}, FoldSettings(1, declared=(Feature("state", "last", "status"),))),
        (
            {"items": [{"product_id": 1.5}]},
            FoldSettings(1, declared=(Feature("products", "distinct", "product_id"),)),
        ),
    ],
)
def test_a_wrong_value_rejects_an_event_where_a_feature_reads_it(
    wrong: dict[str, object], reader: FoldSettings
) -> None:
    unread, refused = read(FoldSettings(1), **wrong), read(reader, **wrong)
    assert (len(unread.events), len(unread.dead_letters)) == (1, 0)
    assert (len(refused.events), len(refused.dead_letters)) == (0, 1)


@pytest.mark.parametrize(
    "wrong", [{"items": [{"brand": "Acme", "quantity": "2"}]}, {"items": [{"brand": 5}]}]
)
def test_the_article_s_features_are_always_declared(wrong: dict[str, object]) -> None:
    assert len(read(FoldSettings(1), **wrong).dead_letters) == 1
