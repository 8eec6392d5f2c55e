"""Makes a shop like thelook with any number of users: `python -m benchmarks.shop 1000000 FOLDER`.

Users are drawn from thelook with replacement, each with all orders, and get new ids. All times of a user are
shifted by up to 30 days, and each order by up to one hour more. So no two histories are equal, but the
distributions of the features are those of thelook.
"""

import sys
from importlib.resources import files
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

SEED = 20
_USER_SHIFT_S, _ORDER_SHIFT_S = 30 * 24 * 3600, 3600

# One row of inventory for each item, as in thelook. Every file is in the order of its ids.
_TABLES = {
    "users": """
        select d.user_id as id, u.age, u.gender, u.country, u.traffic_source,
            u.created_at + to_seconds(d.shift_s) as created_at
        from drawn as d join source_users as u on u.id = d.source_id order by 1
    """,
    "orders": "select order_id, user_id, status, created_at from new_orders order by 1",
    "order_items": """
        select row_number() over (order by o.order_id, i.id) as id, o.order_id, o.user_id, i.product_id,
            row_number() over (order by o.order_id, i.id) as inventory_item_id, i.status,
            o.created_at, i.sale_price
        from new_orders as o join source_order_items as i on i.order_id = o.source_id order by 1
    """,
    "inventory_items": """
        select row_number() over (order by o.order_id, i.id) as id, v.product_id, v.product_brand,
            v.product_category
        from new_orders as o
        join source_order_items as i on i.order_id = o.source_id
        join source_inventory_items as v on v.id = i.inventory_item_id
        order by 1
    """,
}

# The shift of an order comes from its new id by a multiplication, so it is the same in every run.
_ORDERS = f"""
    create temp table new_orders as
    select
        numbered.* exclude (moved_at),
        moved_at + to_seconds(order_id * 2654435761 % {_ORDER_SHIFT_S}) as created_at
    from (
        select row_number() over (order by d.user_id, o.order_id) as order_id, d.user_id,
            o.order_id as source_id, o.status, o.created_at + to_seconds(d.shift_s) as moved_at
        from drawn as d join source_orders as o on o.user_id = d.source_id
    ) as numbered
"""


def make_shop(users: int, folder: Path) -> Path:
    """Write the four tables as Parquet files; return the folder. The same number of users gives the same
    files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    thelook = files("segue") / "data" / "thelook"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table in _TABLES:
            connection.execute(f"create view source_{table} as select * from '{thelook / table}.parquet'")
        connection.register("drawn", _drawn(users, connection))
        connection.execute(_ORDERS)
        for table, query in _TABLES.items():
            connection.execute(f"copy ({query}) to '{folder / table}.parquet' (format parquet)")
    return folder


def _drawn(users: int, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """For each new user, the source user and the shift of the history in seconds."""
    rng = np.random.default_rng(SEED)
    sources = np.array(
        [row[0] for row in connection.execute("select id from source_users order by id").fetchall()]
    )
    return pa.table(
        {
            "user_id": np.arange(1, users + 1),
            "source_id": rng.choice(sources, users),
            "shift_s": rng.integers(-_USER_SHIFT_S, _USER_SHIFT_S, users),
        }
    )


if __name__ == "__main__":
    make_shop(int(sys.argv[1]), Path(sys.argv[2]))
