"""One made-up console for the tests of the pages and of the API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from msgspec import structs
from starlette.testclient import TestClient

from schemas.outputs.segment_change import SimilarUser
from segue.console.viewers.change_hub import ChangeHub
from streamer.user.history import Entered
from tests.support.worlds.made_up_console import HOSTILE, MadeUpFacts, MadeUpFeed, made_up_app


@pytest.fixture
def facts() -> MadeUpFacts:
    made = MadeUpFacts()
    imagined = made.imagined({"age": "34", "gender": "F", "most_frequent_brand": "Carhartt"}, ())
    entered = Entered(
        1, datetime(2024, 12, 1, 8, 5, tzinfo=UTC), 1, "women", None, "ab", "order", "orders", 2, 118
    )
    similar = (SimilarUser("12&id=9", 0.75, 3),)
    card = replace(imagined, user_id="7", sequence=1, history=(entered,), similar_users=similar)
    hostile = replace(
        card,
        user_id=HOSTILE,
        segment_name=HOSTILE,
        features={**card.features, "most_frequent_brand": HOSTILE},
        similar_users=(SimilarUser(HOSTILE, 1.0, 0),),
        history=(structs.replace(entered, segment_name=HOSTILE),),
    )
    made.cards = {user_id: replace(card, user_id=user_id) for user_id in ("7", "a/b", "..")}
    made.cards[HOSTILE] = hostile
    return made


@pytest.fixture
def feed() -> MadeUpFeed:
    return MadeUpFeed()


@pytest.fixture
def hub(feed: MadeUpFeed) -> ChangeHub:
    return ChangeHub(feed.open())


@pytest.fixture
def client(facts: MadeUpFacts, hub: ChangeHub) -> Iterator[TestClient]:
    app = made_up_app(facts, hub)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as made:
        yield made
