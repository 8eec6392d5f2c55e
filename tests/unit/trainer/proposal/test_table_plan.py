"""The query of a table whose rows are joined with another table's."""

import duckdb
import pytest

from trainer.proposal.looks.shop_columns import ShopColumn, ShopTable
from trainer.proposal.table_plan import Join, TablePlan, Value


def table(name: str, key: ShopColumn, *others: ShopColumn) -> ShopTable:
    return ShopTable(name, (name,), 3, (key, *others))


def column(kind: str, float_ids: int, name: str = "product_id") -> ShopColumn:
    return ShopColumn(name, "number", 3, 3, 3, type=kind, float_ids=float_ids)


@pytest.mark.parametrize(
    ("line_type", "line_ids", "product_type", "product_ids"),
    [
        ("", ["12.0", None, "7.0"], "", ["12", "7"]),
        ("", ["12", None, "7"], "", ["12.0", "7.00"]),
        ("", ["12.0", "A-7", "7"], "BIGINT", [12, 7]),
        ("VARCHAR", ["12", "A-7", "7"], "INTEGER", [12, 7]),
        ("DOUBLE", [12.0, None, 7.0], "VARCHAR", ["12", "7"]),
        ("DOUBLE", [1e17, None, 7.0], "BIGINT", [10**17, 7]),
    ],
)
def test_ids_of_other_types_and_floats_are_joined(
    line_type: str, line_ids: list[object], product_type: str, product_ids: list[object]
) -> None:
    key = column(line_type, sum(str(one).endswith(".0") for one in line_ids))
    product = column(product_type, sum(".0" in str(one) for one in product_ids))
    brand = column("", 0, "brand")
    products = table("products", product, brand)
    plan = TablePlan(
        "order_items",
        table("lines", key),
        (Value("product_id", key, "id"), Value("brand", brand, "text", 1)),
        (Join(products, key, product),),
    )
    with duckdb.connect() as connection:
        connection.execute(f"create table lines (product_id {line_type or 'text'})")
        connection.execute(f"create table products (product_id {product_type or 'text'}, brand text)")
        connection.executemany("insert into lines values (?)", [[one] for one in line_ids])
        connection.executemany(
            "insert into products values (?, ?)", [[product_ids[0], "A"], [product_ids[1], "B"]]
        )
        found = connection.execute(plan.query("duckdb")).fetchall()
    assert sorted(str(brand) for _, brand in found) == ["A", "B", "None"]
