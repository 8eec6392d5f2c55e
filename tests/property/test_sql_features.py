"""The feature query against a reading of its rules in Python, over random dirty shops."""

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.features import Feature
from schemas.input_events import Order, Signup
from schemas.inputs import decode
from tests.support.checks import warehouse_oracle
from tests.support.inputs.laws import examples
from tests.support.inputs.shops import Shop, everything, told, write_csv, write_duckdb, write_parquet
from tests.support.strategies.features import OWN, RICH
from tests.support.strategies.warehouse import AS_OFS, EXCLUDED, shops
from tests.support.worlds.translated import open_translated
from trainer.warehouse import Reading, open_warehouse

# A shop is written to disk and read by a database: a quarter of a second for each.
SOME = examples(5)
FEW = examples(2)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="segue-shop-") as place:
        yield Path(place)


@SOME
@given(shop=shops(), as_of=AS_OFS, excluded=EXCLUDED)
def test_the_queries_give_what_the_rules_say(
    folder: Path, shop: Shop, as_of: datetime | None, excluded: tuple[str, ...]
) -> None:
    expected = warehouse_oracle.features(shop, as_of, excluded)
    signups, orders = warehouse_oracle.facts(shop, as_of)
    with open_warehouse(write_csv(shop, folder / "rules")) as warehouse:
        rows = {row.pop("user_id"): row for row in warehouse.features(as_of, excluded).to_pylist()}
        events = list(warehouse.events(as_of))
        counts = warehouse.counts(as_of)
        rejected = warehouse.rejected()
    assert rows == expected
    assert list(rows) == sorted(expected, key=str.encode)
    assert Counter(map(_told, events)) == Counter([*map(_signup, signups), *map(_order, orders)])
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert (counts.signups, counts.orders) == (len(signups), len(orders))
    assert counts.users == len(expected)
    by_table: Counter[str] = Counter()
    for (table, _), rows_of_reason in rejected.counts.items():
        by_table[table] += rows_of_reason
    assert by_table == warehouse_oracle.rejected(shop)
    assert Counter((row.table, row.reason) for row in rejected) == rejected.counts


@FEW
@given(shop=shops(own=True), inputs=st.sets(st.sampled_from(RICH + OWN)))
def test_every_event_passes_the_edge(folder: Path, shop: Shop, inputs: set[Feature]) -> None:
    """An event from the warehouse passes the edge unchanged, whichever columns are read."""
    reading = Reading(features=tuple(inputs))
    with open_warehouse(write_csv(shop, folder / "edge"), reading=reading) as warehouse:
        for event in warehouse.events():
            if isinstance(event, Order):
                key, value = decode.encode_order(event)
                assert decode.decode_order(key, value, event.at, read=reading.fields) == event
            else:
                key, value = decode.encode_signup(event)
                assert decode.decode_signup(key, value, event.at, read=reading.fields) == event


def _told(event: Signup | Order) -> tuple[object, ...]:
    if isinstance(event, Signup):
        return (event.user_id, event.at, event.age, event.gender, event.country, event.traffic_source)
    items: list[dict[str, object]] = [
        {"brand": item.brand, "category": item.category, "quantity": item.quantity} for item in event.items
    ]
    return (event.user_id, event.order_id, event.at, event.status, _basket(items))


def _signup(fact: dict[str, object]) -> tuple[object, ...]:
    return (fact["user_id"], fact["at"], *(fact[field] for field in warehouse_oracle.PROFILE))


def _order(fact: dict[str, Any]) -> tuple[object, ...]:
    return (fact["user_id"], fact["order_id"], fact["at"], fact["status"], _basket(fact["items"]))


def _basket(items: list[dict[str, object]]) -> tuple[object, ...]:
    return tuple(
        sorted((item["brand"] or "", item["category"] or "", item["quantity"] or 1) for item in items)
    )


@FEW
@given(shop=shops(), chance=st.randoms())
def test_the_order_of_rows_does_not_matter(folder: Path, shop: Shop, chance: random.Random) -> None:
    shuffled = Shop(*(chance.sample(rows, len(rows)) for rows in _tables(shop)))
    one, other = write_csv(shop, folder / "one"), write_csv(shuffled, folder / "other")
    with open_warehouse(one) as first, open_warehouse(other) as second:
        assert first.features().equals(second.features())
        assert list(first.events()) == list(second.events())
        assert first.rejected() == second.rejected()


def _tables(shop: Shop) -> list[list[dict[str, str | None]]]:
    return [shop.users, shop.orders, shop.order_items, shop.inventory_items]


@examples(1)
@given(shop=shops(), as_of=AS_OFS, excluded=EXCLUDED)
def test_every_kind_of_warehouse_gives_the_same(
    folder: Path, shop: Shop, as_of: datetime | None, excluded: tuple[str, ...]
) -> None:
    database = folder / "shop.duckdb"
    database.unlink(missing_ok=True)
    kinds = [
        write_csv(shop, folder / "csv"),
        write_csv(shop, folder / "zipped", zipped=True),
        write_parquet(shop, folder / "parquet"),
        write_duckdb(shop, database),
    ]
    first, *others = [everything(kind, as_of, excluded) for kind in kinds]
    assert all(other == first for other in others)


@pytest.mark.long
@FEW
@given(shop=shops(), as_of=AS_OFS, excluded=EXCLUDED)
@pytest.mark.parametrize("dialect", ["snowflake", "bigquery"])
def test_other_dialects_say_the_same(
    folder: Path, dialect: str, shop: Shop, as_of: datetime | None, excluded: tuple[str, ...]
) -> None:
    """As far as sqlglot reads them right: their text, translated back."""
    database = folder / "translated.duckdb"
    database.unlink(missing_ok=True)
    write_duckdb(shop, database)
    with open_warehouse(database) as plain, open_translated(database, dialect) as translated:
        assert told(translated, as_of, excluded) == told(plain, as_of, excluded)
