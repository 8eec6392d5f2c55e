"""A user's card, from the state in Redis."""

from datetime import date

from schemas.features import FEATURES
from schemas.input_events import Item, Order
from segue.connect.redis_users import card_of
from tests.support.worlds.lane_world import NOW, World
from tests.support.worlds.made_up_release import RECENCY, a_recency_release, an_active_model


def test_the_features_are_of_the_lanes_day() -> None:
    """The user was decided on the day of the order, June 1st, and the lane is on the 5th."""
    world = World(features=(*FEATURES, RECENCY))
    world.models.model = an_active_model(release=a_recency_release())
    world.send(Order("7", "1", NOW, (Item("Ön"),)))
    world.run()
    card = card_of(world.state("7"), world.config.rules, None, date(2024, 6, 5))
    assert card.features["recency"] == 4
    assert (card.segment, card.components) == (0, (0.0, 0.0))
