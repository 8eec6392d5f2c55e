#!/usr/bin/env python3
"""Make segue/data/thelook from the full tables: only the columns that Segue reads, without names of persons.

python scripts/compact_thelook.py FULL_TABLES segue/data/thelook
"""

import sys
from pathlib import Path

import duckdb

_QUERIES = {
    "users": "select id, age, gender, country, traffic_source, created_at from {users} order by id",
    "orders": "select order_id, user_id, status, created_at from {orders} order by order_id",
    "order_items": """
        select id, order_id, user_id, product_id, inventory_item_id, status, created_at, sale_price
        from {order_items}
        order by id
    """,
    # No order contains an unsold item.
    "inventory_items": """
        select id, product_id, product_brand, product_category
        from {inventory_items}
        where id in (select inventory_item_id from {order_items})
        order by id
    """,
}


def compact(source: Path, target: Path) -> None:
    """Write one Parquet file for each table; the same input gives the same rows in the same order."""
    target.mkdir(parents=True, exist_ok=True)
    tables = {table: f"read_parquet('{source / table}.parquet')" for table in _QUERIES}
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table, query in _QUERIES.items():
            file = target / f"{table}.parquet"
            connection.execute(
                f"copy ({query.format_map(tables)}) to '{file}' "
                f"(format parquet, compression zstd, compression_level 19)"
            )


if __name__ == "__main__":
    compact(Path(sys.argv[1]), Path(sys.argv[2]))
