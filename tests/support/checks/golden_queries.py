"""Golden files of the queries in the dialects that no test can run.

``python -m tests.support.checks.golden_queries`` rewrites the files.

The file of the features' query has the whole query. The other files have only the last select: the steps
before it are the same.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import sqlglot

from schemas.features import Feature, declared
from schemas.inputs.fields_read import fields_read
from trainer.warehouse.queries.shop_queries import Queries
from trainer.warehouse.tables.table_layout import TABLES, columns_of

FOLDER = Path(__file__).parents[2] / "data" / "golden"
DIALECTS = ("snowflake", "bigquery")

START, AS_OF = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 12, 1, tzinfo=UTC)
EXCLUDED = ("Cancelled", "O'Hara \\ Sons")

# The seven features, a feature of each other kind, and some over a shop's own fields.
FEATURES = declared(
    [
        Feature("distinct_products", "distinct", "product_id"),
        Feature("last_status", "last", "status"),
        Feature("last_price", "last", "price"),
        Feature("total_pieces", "sum", "quantity"),
        Feature("average_order_value", "mean", "order_value"),
        Feature("smallest_order", "min", "order_value"),
        Feature("largest_order", "max", "order_value"),
        Feature("days_between", "interval", "order_id"),
        Feature("income", "attribute", "user.income", type="number"),
        Feature("member", "attribute", "user.member", type="boolean"),
        Feature("ship_to", "last", "order.shipping.country"),
        Feature("delivery_days", "mean", "order.shipping.days"),
        Feature("materials", "distinct", "item.material"),
        Feature("weight", "sum", "item.weight"),
        Feature("spend_90d", "sum", "order_value", window=90),
        Feature("materials_30d", "distinct", "item.material", window=30),
        Feature("days_since_order", "days_since", "last_order"),
        Feature("days_since_signup", "days_since", "signup"),
        Feature("days_since_birth", "days_since", "user.born"),
    ]
)
TIME_ZONE, DAY = "Asia/Kolkata", date(2024, 11, 30)
READ = fields_read(FEATURES, statuses=True, time_zone=TIME_ZONE)

# A shop with another schema and other names.
SHOP = {table: table for table in TABLES} | {"users": "crm.customers"}
LAYOUT: dict[tuple[str, str], str | None] = {
    **{(table, column.key): column.names[0] for table in TABLES for column in columns_of(table, READ)},
    ("users", "user_id"): "Customer No",
    ("orders", "order.shipping.country"): "ship_country",
    ("orders", "order.shipping.days"): "ship_days",
    ("order_items", "quantity"): None,
}


@cache
def queries(dialect: str) -> dict[str, str]:
    """Return the text of each query, by name."""
    made = Queries(dialect, SHOP, LAYOUT, read=READ, time_zone=TIME_ZONE)
    return {
        "features": made.features(AS_OF, EXCLUDED, FEATURES, day=DAY, start=START, end=AS_OF),
        "events": made.events(AS_OF, START, "user"),
        "followup": made.followup(datetime(2024, 9, 2, tzinfo=UTC), AS_OF, EXCLUDED),
        "bought": made.bought(datetime(2024, 9, 2, tzinfo=UTC), AS_OF, EXCLUDED),
        "rejected": made.rejected(AS_OF, 100),
        "counts": made.counts(AS_OF),
        "overlap": made.overlap(AS_OF, 3),
    }


def files(dialect: str) -> Iterator[tuple[Path, str]]:
    """Yield each golden file and its right content."""
    for name, text in queries(dialect).items():
        if name == "features":
            yield path_of(dialect, name), text
        else:
            last = sqlglot.parse_one(text, read=dialect)
            last.set("with_", None)
            yield path_of(dialect, name), last.sql(dialect, pretty=True) + "\n"


def path_of(dialect: str, name: str) -> Path:
    """Return the path of a query's golden file."""
    return FOLDER / f"{name}.{dialect}.sql"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for dialect in DIALECTS:
        for path, text in files(dialect):
            path.write_text(text, encoding="utf-8")
