"""Users of the preset rfm who are all due on one day, in the form that a save writes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from random import Random

from msgspec.structs import replace

from schemas.features import RFM, beyond_default
from schemas.input_events import Item, Order
from schemas.outputs.segment_change import Cause
from schemas.release.model_release import (
    EncodedFeature,
    ModelRelease,
    Segment,
    Training,
    space_of,
    version_of,
)
from streamer.batch.batch_users import write_of
from streamer.interfaces.lane_interfaces import UserWrite
from streamer.place.place import Sweep
from streamer.segment.active_model import ActiveModel
from streamer.segment.decide_event import decide
from streamer.segment.lane_day import LaneDay
from streamer.user.fold_events import fold_all
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState
from tests.support.checks.refusing import refuse_none

RULES = Rules(features=RFM)
KINDS = 500
# The id in the values of a kind; each user's id replaces it.
_ID = "@"
_BASE = date(2024, 1, 1)
_MOST_ORDERS = 6


def an_rfm_release() -> ModelRelease:
    """Return a release of the preset rfm with five segments, about as one of thelook has them."""
    centres = ((-1.4, 0.2), (1.3, 0.6), (0.2, -0.9), (-0.3, 1.2), (2.1, -0.8))
    release = ModelRelease(
        version="",
        space="",
        features=tuple(EncodedFeature(feature.name, "log") for feature in RFM),
        mean=(5.2, 1.0, 4.6),
        scale=(1.2, 0.4, 0.9),
        projection_mean=(0.0, 0.0, 0.0),
        projection=((-0.3, 0.65, 0.7), (0.95, 0.25, 0.2)),
        segments=tuple(Segment(i, f"segment {i}", centre, 10) for i, centre in enumerate(centres)),
        next_segment=len(centres),
        training=Training(None, 100, 90, "0" * 64),
        declared=beyond_default(RFM),
    )
    release = replace(release, space=space_of(release))
    return replace(release, version=version_of(release))


def due_kinds(model: ActiveModel, sweep: Sweep, day: date) -> list[UserWrite]:
    """Return the writes of users with different histories, each decided the day before and due on ``day``."""
    return list(islice(_kinds(model, sweep, day), KINDS))


def of_kind(kind: UserWrite, user_id: str) -> UserWrite:
    """Return the write of a user of this kind."""
    orders = {
        order_id.replace(_ID, user_id): None
        if order is None
        else order.replace(_ID.encode(), user_id.encode())
        for order_id, order in kind.orders.items()
    }
    return replace(kind, user_id=user_id, orders=orders)


def _kinds(model: ActiveModel, sweep: Sweep, day: date) -> Iterator[UserWrite]:
    random = Random("due")
    before = LaneDay(day - timedelta(days=1), model, RULES)
    while True:
        history = _history(random)
        due = LaneDay(_BASE, model, RULES).due(_decided(history, model, _BASE))
        if due is None:
            continue
        later = day - due
        moved = [replace(order, created_at=order.created_at + later) for order in history]
        write = write_of(None, _decided(moved, model, before.day), sweep, {}, RULES, before, index_all=True)
        # Time may have moved the user before that day.
        if write.due == day:
            yield write


def _history(random: Random) -> list[Order]:
    """Some orders up to the base day."""
    at, orders = datetime.combine(_BASE, datetime.min.time(), UTC), []
    for number in range(random.randint(1, _MOST_ORDERS)):
        price = round(random.lognormvariate(3.5, 0.8), 2)
        orders.append(Order(_ID, f"{_ID}-{number}", at, (Item(price=price),)))
        at -= timedelta(days=random.randint(1, 120))
    return orders


def _decided(orders: list[Order], model: ActiveModel, day: date) -> UserState:
    state = fold_all(UserState(_ID), orders, RULES, refuse_none)
    now = datetime.combine(day, datetime.min.time(), UTC)
    return decide(state, Cause("order", positions={}, day=day), now, model, RULES, now).state
