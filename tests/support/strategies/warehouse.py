"""Random small shops with dirty rows.

Values come from pools. A pool gives by hand the meaning of each text: a value, nothing, or an error.
Keys and values often collide on purpose: rules differ at duplicates and ties.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from hypothesis import strategies as st

from tests.support.inputs.shops import Row, Shop, Value


@dataclass(frozen=True, slots=True)
class Bad:
    """A text that makes its row a dead letter, and the reason."""

    reason: str


Meaning = str | int | float | datetime | None | Bad

SPACE = "\u3000\t"
LONG_ID = Bad("more than 256 bytes")
LONG_TEXT = Bad("more than 1,024 bytes")
NO_NUMBER = Bad("not a number")
NO_TIME = Bad("not a time")
NO_QUANTITY = Bad("not a whole number of at least 1")
NO_PRICE = Bad("not a finite number")


def _texts(*values: str) -> dict[Value, Meaning]:
    return {**{value: value for value in values}, None: None, SPACE: None}


USER_IDS: Mapping[Value, Meaning] = _texts("7", "07", "U", "é") | {"é" * 128 + "x": LONG_ID}
ORDER_IDS: Mapping[Value, Meaning] = _texts("1", "01", "o", "O", "ö") | {"é" * 128 + "x": LONG_ID}
STATUSES: Mapping[Value, Meaning] = _texts(
    "Complete", "complete", "Returned", "Returned late", 'R"', "R\\"
) | {"é" * 512 + "x": LONG_TEXT}
COUNTRIES: Mapping[Value, Meaning] = _texts("Spain", "España", "spain", " Spain", "\U00010000", "\uffff") | {
    "é" * 512 + "x": LONG_TEXT
}
BRANDS: Mapping[Value, Meaning] = _texts("Acme", "acme", "Beta", "Zeta", "Ünder") | {
    "é" * 512 + "x": LONG_TEXT
}
PRODUCT_IDS: Mapping[Value, Meaning] = _texts("9", "09") | {"é" * 128 + "x": LONG_ID}

AGES: Mapping[Value, Meaning] = {
    "9": 9,
    "25": 25,
    "25.0": 25,
    "2.5e1": 25,
    "100": 100,
    "99.5": 99.5,
    None: None,
    SPACE: None,
    "150.5": Bad("outside 0..150"),
    "-1": Bad("outside 0..150"),
    "NaN": NO_NUMBER,
    "old": NO_NUMBER,
}
QUANTITIES: Mapping[Value, Meaning] = {
    None: None,
    SPACE: None,
    "1": 1,
    "2": 2,
    "2.0": 2,
    "03": 3,
    "1000000": 1_000_000,
    "1000001": 1_000_001,
    str(2**53 + 1): 2**53 + 1,
    "0": NO_QUANTITY,
    "1.5": NO_QUANTITY,
    str(2**63): NO_QUANTITY,
}
PRICES: Mapping[Value, Meaning] = {
    None: None,
    "0": 0,
    "20": 20,
    "20.0": 20,
    "9.99": 9.99,
    "0.1": 0.1,
    "0.30000000000000004": 0.30000000000000004,
    "-0.0000005": -0.0000005,
    "123456789.987654": 123456789.987654,
    "999999999999.9999": 999999999999.9999,
    "1000000000000.001": 1000000000000.001,
    "-1e300": -1e300,
    "inf": NO_PRICE,
    "9,99": NO_PRICE,
}
TIMES: Mapping[Value, Meaning] = {
    "2024-01-01 00:00:00": datetime(2024, 1, 1, tzinfo=UTC),
    "2024-01-01T01:00:00+01:00": datetime(2024, 1, 1, tzinfo=UTC),
    "2024-01-01 00:00:00.0000009 UTC": datetime(2024, 1, 1, tzinfo=UTC),
    "2024-01-01 00:00:00.000001Z": datetime(2024, 1, 1, 0, 0, 0, 1, UTC),
    "2023-12-31 23:59:59.9999999": datetime(2023, 12, 31, 23, 59, 59, 999999, UTC),
    "2024-01-02": datetime(2024, 1, 2, tzinfo=UTC),
    "1969-07-20 20:17:40": datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC),
    # In St. John's the 29th began, then the clocks went back to the 28th.
    "2006-10-29 02:30:30": datetime(2006, 10, 29, 2, 30, 30, tzinfo=UTC),
    "2006-10-29 02:31:30": datetime(2006, 10, 29, 2, 31, 30, tzinfo=UTC),
    # In Apia the 31st followed the 29th.
    "2011-12-30T09:59:59Z": datetime(2011, 12, 30, 9, 59, 59, tzinfo=UTC),
    "2011-12-30T10:00:00Z": datetime(2011, 12, 30, 10, tzinfo=UTC),
    None: None,
    SPACE: None,
    "2023-02-29 00:00:00": NO_TIME,
    "yesterday": NO_TIME,
}
POOLS: Mapping[str, Mapping[str, Mapping[Value, Meaning]]] = {
    "users": {
        "id": USER_IDS,
        "age": AGES,
        "gender": _texts("F", "M", "f"),
        "country": COUNTRIES,
        "traffic_source": _texts("Search", "Email"),
        "created_at": TIMES,
    },
    "orders": {"order_id": ORDER_IDS, "user_id": USER_IDS, "status": STATUSES, "created_at": TIMES},
    "order_items": {
        "id": _texts("i1", "i2", "I1"),
        "order_id": ORDER_IDS,
        "inventory_item_id": _texts("a", "b", "c", "d", "gone"),
        "product_id": PRODUCT_IDS,
        "sale_price": PRICES,
        "quantity": QUANTITIES,
    },
    "inventory_items": {
        "id": _texts("a", "b", "c", "d"),
        "product_brand": BRANDS,
        "product_category": _texts("Shoes", "Hats", "shoes"),
    },
}

BOOLEANS: Mapping[Value, Meaning] = {
    "true": "true",
    "True": "true",
    "1": "true",
    "no": "false",
    "f": "false",
    None: None,
    SPACE: None,
    "maybe": Bad("neither true nor false"),
}
DATES: Mapping[Value, Meaning] = {
    "1990-05-01": "1990-05-01",
    "2023-12-31": "2023-12-31",
    "2023-12-31T23:30:00-05:00": datetime(2024, 1, 1, 4, 30, tzinfo=UTC),
    "2023-12-31 18:29:59.999999": datetime(2023, 12, 31, 18, 29, 59, 999999, UTC),
    "2024-01-01": "2024-01-01",
    "2011-12-30T10:00:00Z": datetime(2011, 12, 30, 10, tzinfo=UTC),
    None: None,
    SPACE: None,
    "2023-02-30": Bad("neither a date nor a time"),
    "1990": Bad("neither a date nor a time"),
}
# The columns of a shop's own fields; a material is known by the stock alone.
OWN_POOLS: Mapping[str, Mapping[str, Mapping[Value, Meaning]]] = {
    "users": {"income": PRICES, "vip": BOOLEANS, "city": COUNTRIES, "born": DATES},
    "orders": {"days": PRICES, "gift": BOOLEANS, "shipping.country": STATUSES},
    "order_items": {"weight": PRICES, "fresh": BOOLEANS},
    "inventory_items": {"material": BRANDS},
}

_CLEAN_FOR_ONE = 20


def _written(pool: Mapping[Value, Meaning]) -> st.SearchStrategy[Value]:
    """Generate mostly valid texts: otherwise nearly every order would have an invalid field."""
    clean = [text for text, meaning in pool.items() if meaning is not None and not isinstance(meaning, Bad)]
    unclean = [text for text in pool if text not in clean]
    return st.sampled_from(clean * (_CLEAN_FOR_ONE * len(unclean) // len(clean) + 1) + unclean)


def _rows(table: str, least: int, most: int, *, own: bool) -> st.SearchStrategy[list[Row]]:
    pools = {**POOLS[table], **(OWN_POOLS[table] if own else {})}
    columns = {name: _written(pool) for name, pool in pools.items()}
    return st.lists(st.fixed_dictionaries(columns), min_size=least, max_size=most)


def shops(*, own: bool = False) -> st.SearchStrategy[Shop]:
    """Generate shops with a few rows in each table, on request with a shop's own columns."""
    return st.builds(
        Shop,
        users=_rows("users", 2, 8, own=own),
        orders=_rows("orders", 4, 12, own=own),
        order_items=_rows("order_items", 8, 24, own=own),
        inventory_items=_rows("inventory_items", 3, 6, own=own),
    )


AS_OFS = st.sampled_from(
    [
        None,
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 1, 1, 0, 0, 0, 1, UTC),
        datetime(2024, 1, 2, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
    ]
)
EXCLUDED = st.sampled_from([(), ("Returned",), ("Complete", "Returned late"), ('R"', "R\\")])
