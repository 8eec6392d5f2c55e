"""Compute the features of a shop in Python, row by row, as the SQL must.

Follows docs/warehouse.md, not the query's steps. What a text means comes from the pools of
:mod:`tests.support.strategies.warehouse`.
"""

import hashlib
from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

from tests.support.inputs.shops import Row, Shop
from tests.support.strategies.warehouse import POOLS, Bad

Facts = list[dict[str, Any]]
PROFILE = ("age", "gender", "country", "traffic_source")


def features(shop: Shop, as_of: datetime | None, exclude: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Return the seven features, by user id."""
    signups, orders = facts(shop, as_of)
    rows: dict[str, dict[str, Any]] = {}
    for user in {fact["user_id"] for fact in [*signups, *orders]}:
        mine = [order for order in orders if order["user_id"] == user and order["status"] not in exclude]
        rows[user] = {
            **{
                field: _newest(field, [fact for fact in signups if fact["user_id"] == user])
                for field in PROFILE
            },
            "total_orders": len(mine) or None,
            "most_frequent_brand": _most_frequent(user, mine, "brand"),
            "most_frequent_category": _most_frequent(user, mine, "category"),
        }
    return rows


def facts(shop: Shop, as_of: datetime | None) -> tuple[Facts, Facts]:
    """Return the valid signups, and the version of each valid order that counts, all before ``as_of``."""
    signups = [fact for row in shop.users if (fact := _signup(row)) and _before(fact, as_of)]
    baskets = _baskets(shop)
    versions = defaultdict(list)
    for row in shop.orders:
        order = _order(row, baskets)
        if order and _before(order, as_of):
            versions[order["user_id"], order["order_id"]].append(order)
    return signups, [
        max(rows, key=lambda order: (order["at"], _status_size(order))) for rows in versions.values()
    ]


def rejected(shop: Shop) -> Counter[str]:
    """Return the number of rejected rows by table; an item counts only if no order has its order id."""
    baskets = _baskets(shop)
    known = {row["order_id"] for row in shop.orders if not _blank(row["order_id"])}
    return Counter(
        ["users" for row in shop.users if _signup(row) is None]
        + ["orders" for row in shop.orders if _order(row, baskets) is None]
        + ["order_items" for row in shop.order_items if row["order_id"] not in known]
    )


def _before(fact: dict[str, Any], as_of: datetime | None) -> bool:
    return as_of is None or fact["at"] < as_of


def _means(table: str, row: Row) -> dict[str, Any]:
    return {name: POOLS[table][name][text] for name, text in row.items()}


def _signup(row: Row) -> dict[str, Any] | None:
    means = _means("users", row)
    if means["id"] is None or any(isinstance(meaning, Bad) for meaning in means.values()):
        return None
    at = means["created_at"] or datetime(1970, 1, 1, tzinfo=UTC)
    return {"user_id": means["id"], "at": at} | {field: means[field] for field in PROFILE}


def _order(row: Row, baskets: dict[str, Facts | None]) -> dict[str, Any] | None:
    means = _means("orders", row)
    if any(isinstance(meaning, Bad) for meaning in means.values()):
        return None
    if None in {means["order_id"], means["user_id"], means["created_at"]}:
        return None
    items = baskets.get(means["order_id"])
    if not items:
        return None
    return means | {"at": means["created_at"], "items": items}


def _baskets(shop: Shop) -> dict[str, Facts | None]:
    """Return the items by order id; None if an item of the order is bad."""
    inventory: dict[str, tuple[Any, Any]] = {}
    for row in shop.inventory_items:
        means = _means("inventory_items", row)
        if means["id"] is not None:
            values = (row["product_brand"], row["product_category"])
            key = tuple((_blank(text), (text or "").encode()) for text in values)
            known = inventory.get(means["id"])
            if known is None or key < known[0]:
                inventory[means["id"]] = (key, (means["product_brand"], means["product_category"]))
    baskets: dict[str, Facts | None] = {}
    for row in shop.order_items:
        means = _means("order_items", row)
        order_id = row["order_id"]
        if order_id is None or _blank(order_id):
            continue
        _, (brand, category) = inventory.get(means["inventory_item_id"], (None, (None, None)))
        item = {"brand": brand, "category": category, "quantity": means["quantity"]}
        checked = [brand, category, *(means[name] for name in ("product_id", "sale_price", "quantity"))]
        if any(isinstance(meaning, Bad) for meaning in checked):
            baskets[order_id] = None
        elif (basket := baskets.setdefault(order_id, [])) is not None:
            basket.append(item)
    return baskets


def _blank(text: str | None) -> bool:
    return text is None or not text.strip()


def _status_size(order: dict[str, Any]) -> bytes:
    """Return the bytes at which JSON of two orders differs: the status, or without a status "user_id"."""
    status: str | None = order["status"]
    if status is None:
        return b'"user_id'
    return b'"status":"' + status.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


def _newest(field: str, signups: Facts) -> Any:
    carrying = [fact for fact in signups if fact[field] is not None]
    return max(carrying, key=lambda fact: (fact["at"], _sortable(fact[field])))[field] if carrying else None


def _sortable(value: Any) -> Any:
    """Return a value that sorts texts by their bytes."""
    return value.encode() if isinstance(value, str) else value


def _most_frequent(user: str, orders: Facts, field: str) -> str | None:
    items: Counter[str] = Counter()
    first: dict[str, datetime] = {}
    for order in orders:
        for item in order["items"]:
            if (value := item[field]) is not None:
                items[value] += item["quantity"] or 1
                first[value] = min(first.get(value, order["at"]), order["at"])
    toss = {value: hashlib.md5(f"{user}:{value}".encode()).hexdigest() for value in items}
    return min(items, key=lambda value: (-items[value], first[value], toss[value]), default=None)
