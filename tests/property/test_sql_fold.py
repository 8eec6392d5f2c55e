"""One definition of a feature: SQL over the warehouse and the fold over its events give equal values.

Over the whole thelook set for every user, and over generated shops with dirty rows.
"""

import random
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.features import Feature
from schemas.input_events import Event, Order, Signup
from streamer.refill.bootstrap_lanes import states_of
from streamer.user.fold_events import fold
from streamer.user.order_rules import Rules
from streamer.user.user_state import UserState
from tests.support.checks import feature_oracle
from tests.support.checks.by_fold import folded, from_fold, recorded
from tests.support.checks.refusing import refuse_none
from tests.support.inputs.laws import examples
from tests.support.inputs.shops import Shop, write_parquet
from tests.support.strategies.events import orders
from tests.support.strategies.features import RICH, ZONES, days, of_declared
from tests.support.strategies.warehouse import AS_OFS, EXCLUDED, shops
from trainer.warehouse import Reading, open_warehouse

NONE_EXCLUDED: frozenset[str] = frozenset()
LOST = frozenset({"Cancelled", "Returned"})
AS_OF = datetime(2024, 6, 1, tzinfo=UTC)

Shuffle = Callable[[list[Event]], Iterable[Event]]


@pytest.fixture(scope="module")
def thelook() -> Path:
    return Path(str(files("segue"))) / "data" / "thelook"


@pytest.fixture(scope="module")
def events(thelook: Path) -> list[Event]:
    with open_warehouse(str(thelook)) as warehouse:
        return list(warehouse.events())


def from_sql(
    folder: Path,
    rules: Rules,
    as_of: datetime | None = None,
    reading: Reading | None = None,
    day: date | None = None,
) -> dict[str, dict[str, Any]]:
    excluded = tuple(sorted(rules.exclude_statuses))
    with open_warehouse(str(folder), reading=reading) as warehouse:
        rows = warehouse.features(as_of, excluded, rules.features, day=day).to_pylist()
    return {row.pop("user_id"): row for row in rows}


def in_random_order(events: list[Event]) -> list[Event]:
    return random.Random(7).sample(events, len(events))


def with_a_tenth_twice(events: list[Event]) -> list[Event]:
    some = random.Random(8)
    twice = [event for event in events for _ in range(2 if some.random() < 0.1 else 1)]
    return some.sample(twice, len(twice))


def orders_first(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda event: isinstance(event, Signup))


@pytest.mark.parametrize(
    ("shuffle", "excluded"),
    [(with_a_tenth_twice, NONE_EXCLUDED), (orders_first, LOST)],
    ids=["twice", "late"],
)
def test_every_user_of_thelook(
    thelook: Path, events: list[Event], shuffle: Shuffle, excluded: frozenset[str]
) -> None:
    rules = Rules(exclude_statuses=excluded)
    by_sql = from_sql(thelook, rules)
    assert len(by_sql) == 20_000
    assert from_fold(shuffle(events), rules) == by_sql


def in_part(user_id: str) -> bool:
    """Whether a user is one of the quarter on which slower laws are tried."""
    return int(user_id) % 4 == 0


def test_every_kind_and_source_for_a_quarter_of_thelook(thelook: Path, events: list[Event]) -> None:
    rules = Rules(exclude_statuses=LOST, features=RICH)
    by_sql = {user_id: row for user_id, row in from_sql(thelook, rules).items() if in_part(user_id)}
    assert len(by_sql) == 5_000
    some_events = [event for event in events if in_part(event.user_id)]
    assert from_fold(in_random_order(some_events), rules) == by_sql
    # Else it would prove nothing.
    some = next(row for row in by_sql.values() if row["total_orders"] == 3)
    assert None not in some.values()
    assert some["sum_of_price"] > some["max_of_order_value"] > some["min_of_price"] > 0


def test_bootstrap_and_the_events_since_give_the_state_of_all_events(
    thelook: Path, events: list[Event]
) -> None:
    rules = Rules(exclude_statuses=LOST, features=RICH)
    some_events = [event for event in events if in_part(event.user_id)]
    with open_warehouse(str(thelook)) as warehouse:
        facts = (event for event in warehouse.events(as_of=AS_OF, ordered="user") if in_part(event.user_id))
        before = {state.user_id: state for state in states_of(facts, rules, refuse_none)}
        since = [event for event in warehouse.events(since=AS_OF) if in_part(event.user_id)]
    assert 0 < len(since) < len(some_events)
    for event in since:
        state = before.get(event.user_id) or UserState(event.user_id)
        before[event.user_id] = fold(state, event, rules)
    assert before == folded(some_events, rules)


def test_features_as_of_a_time_are_those_of_the_facts_before_it(thelook: Path) -> None:
    with open_warehouse(str(thelook)) as warehouse:
        facts = list(warehouse.events(as_of=AS_OF))
    assert max(fact.created_at for fact in facts) < AS_OF
    assert from_fold(facts, Rules()) == from_sql(thelook, Rules(), AS_OF)


def test_every_order_of_thelook_is_an_event(events: list[Event]) -> None:
    assert sum(isinstance(event, Order) for event in events) == 24_923
    assert sum(isinstance(event, Signup) for event in events) == 20_000


@examples(3)
@given(
    shops(own=True),
    AS_OFS,
    EXCLUDED,
    of_declared(),
    days(),
    st.sampled_from(ZONES),
    st.randoms(use_true_random=False),
)
def test_random_dirty_shops(
    shop: Shop,
    as_of: datetime | None,
    excluded: tuple[str, ...],
    declared: tuple[Feature, ...],
    day: date,
    time_zone: str,
    some: random.Random,
) -> None:
    """Any features over any fields as of any day, with rows that are bad, doubled, tied or blank, and with
    events twice in any order, as records of Kafka.
    """
    reading = Reading(features=declared, statuses=bool(excluded), time_zone=time_zone)
    rules = Rules(exclude_statuses=frozenset(excluded), features=declared, time_zone=time_zone)
    with TemporaryDirectory() as folder:
        tables = write_parquet(shop, Path(folder))
        with open_warehouse(tables, reading=reading) as warehouse:
            facts = [recorded(fact, reading.fields) for fact in warehouse.events(as_of=as_of)]
        by_sql = from_sql(tables, rules, as_of, reading, day)
    shuffled = some.sample(facts * 2, len(facts) * 2)
    by_fold = from_fold(shuffled, rules, day)
    assert by_fold == {user_id: row for user_id, row in by_sql.items() if user_id in by_fold}
    # A user with bad rows only has a row of features, all missing, and no event.
    assert all(set(by_sql[user_id].values()) == {None} for user_id in by_sql.keys() - by_fold.keys())


baskets = st.tuples(*(st.lists(orders(str(user)), max_size=6) for user in range(8)))


@examples(2)
@given(baskets, st.sampled_from([NONE_EXCLUDED, LOST]))
def test_clean_orders_that_tie_often(baskets: tuple[list[Order], ...], excluded: frozenset[str]) -> None:
    """Every kind and source, also against the rules applied to all facts at once."""
    rules = Rules(exclude_statuses=excluded, features=RICH)
    with TemporaryDirectory() as folder:
        tables = write_parquet(shop_of(order for basket in baskets for order in basket), Path(folder))
        with open_warehouse(tables) as warehouse:
            facts = list(warehouse.events())
        by_sql = from_sql(tables, rules)
    assert from_fold(facts, rules) == by_sql
    assert by_sql == {
        user_id: feature_oracle.features(
            user_id,
            [fact for fact in facts if fact.user_id == user_id],
            rules.exclude_statuses,
            rules.features,
        )
        for user_id in {fact.user_id for fact in facts}
    }


def shop_of(versions: Iterable[Order]) -> Shop:
    """A shop with the last of these versions of each order, and one user without any."""
    shop = Shop().user("nobody")
    newest = {(order.user_id, order.order_id): order for order in versions}
    for (user_id, order_id), order in newest.items():
        unique = f"{order_id} of {user_id}"
        shop.order(unique, user_id, [], order.created_at.isoformat(), order.status)
        for item in order.items:
            values = {"product_id": item.product_id, "sale_price": item.price, "quantity": item.quantity}
            written = {name: None if value is None else str(value) for name, value in values.items()}
            shop.item(unique, f"{item.brand or ''}/{item.category or ''}", **written)
    return shop
