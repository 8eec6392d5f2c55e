"""Only what a declared feature reads has to exist; and a shop's own fields are found where they are."""

from pathlib import Path

import pytest

from schemas.errors import BadWarehouse
from schemas.features import FEATURES, Feature, declared
from schemas.input_events import Order, Signup
from tests.support.inputs.shops import NEW_YEAR, Shop, write_csv
from trainer.warehouse import Names, Reading, open_warehouse

TOTAL_ORDERS, BRAND = FEATURES[4], FEATURES[5]
INCOME = Feature("income", "attribute", "user.income", type="number")
MATERIAL = Feature("material", "most_frequent", "item.material")
SHIP_TO = Feature("ship_to", "last", "order.shipping.country")


def reading(*features: Feature) -> Reading:
    return Reading(features=features)


def refusal(folder: Path, *features: Feature, names: Names | None = None) -> str:
    with pytest.raises(BadWarehouse) as caught:
        open_warehouse(folder, names, reading(*features))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def folder_of(path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (path / f"{name}.csv").write_text(text)
    return path


def test_orders_alone_are_a_warehouse(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"orders": "order_id,user_id,created_at\n1,7,2024-01-01\n2,7,2024-01-01\n"})
    with open_warehouse(folder, reading=reading(TOTAL_ORDERS)) as tables:
        assert tables.features(features=(TOTAL_ORDERS,)).to_pylist() == [{"user_id": "7", "total_orders": 2}]
        assert list(tables.events()) == [Order("7", "1", NEW_YEAR, ()), Order("7", "2", NEW_YEAR, ())]
        assert (tables.counts().orders, tables.counts().items) == (2, 0)
        assert [tables.has(feature) for feature in FEATURES] == [False] * 4 + [True] + [False] * 2


def test_a_missing_table_that_a_feature_reads_is_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, {"orders": "order_id,user_id,created_at\n1,7,2024-01-01\n"})
    assert refusal(folder, INCOME).startswith(f"folder {folder} has no table users: ")
    assert refusal(folder, BRAND).startswith(f"folder {folder} has no table order_items: ")


def test_items_with_their_own_brand_need_no_second_table(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        {
            "orders": "order_id,user_id,created_at\n1,7,2024-01-01\n",
            "order_items": "order_id,brand,quantity\n1,Acme,2\n1,Beta,1\n",
        },
    )
    with open_warehouse(folder, reading=reading(BRAND)) as tables:
        assert tables.features(features=(BRAND,)).to_pylist() == [
            {"user_id": "7", "most_frequent_brand": "Acme"}
        ]
    (folder / "order_items.csv").write_text("order_id,quantity\n1,2\n")
    assert refusal(folder, BRAND).startswith(f"folder {folder} has no table inventory_items: ")


def test_brand_and_category_are_those_of_the_stock_unless_the_settings_name_a_column(tmp_path: Path) -> None:
    shop = Shop().user("7").order("1", "7", ["Acme/Shoes"])
    shop.order_items[0]["brand"] = "by chance"
    folder = write_csv(shop, tmp_path)
    with open_warehouse(folder, reading=reading(BRAND)) as tables:
        assert tables.features(features=(BRAND,))["most_frequent_brand"].to_pylist() == ["Acme"]
    names = Names({}, {"order_items": {"brand": "brand"}}, reading(BRAND).fields)
    with open_warehouse(folder, names, reading(BRAND)) as tables:
        assert tables.features(features=(BRAND,))["most_frequent_brand"].to_pylist() == ["by chance"]


def test_a_value_never_comes_from_the_other_table(tmp_path: Path) -> None:
    """Its column is chosen once, or a product's value would fill the gap of a line."""
    shop = Shop().user("7").order("1", "7", ["Acme/Shoes", "Beta/Hats"])
    shop.order_items[0]["material"], shop.order_items[1]["material"] = "felt", None
    for row in shop.inventory_items:
        row["material"] = "wool"
    with open_warehouse(write_csv(shop, tmp_path), reading=reading(MATERIAL)) as tables:
        (event,) = [fact for fact in tables.events() if isinstance(fact, Order)]
        assert sorted(item.own.get("item.material", "") for item in event.items) == ["", "felt"]


def test_an_items_own_field_is_in_either_table_of_items(tmp_path: Path) -> None:
    shop = Shop().user("7").order("1", "7", ["Acme/Shoes", "Beta/Hats"])
    folder = write_csv(shop, tmp_path)
    assert refusal(folder, MATERIAL) == (
        f"neither table order_items nor inventory_items of folder {folder} has a column material: name the"
        ' right one in segue.toml, under [columns.order_items] "material" = "…", or declare no feature of it'
    )
    for row in shop.inventory_items:
        row["material"] = "wool"
    with open_warehouse(write_csv(shop, tmp_path), reading=reading(MATERIAL)) as tables:
        (event,) = [fact for fact in tables.events() if isinstance(fact, Order)]
        assert [item.own for item in event.items] == [{"item.material": "wool"}] * 2
    for row in shop.order_items:
        row["material"] = "felt"
    with open_warehouse(write_csv(shop, tmp_path), reading=reading(MATERIAL)) as tables:
        assert tables.features(features=(MATERIAL,))["material"].to_pylist() == ["felt"]


def test_a_path_is_mapped_to_a_column(tmp_path: Path) -> None:
    shop = Shop().user("7").order("1", "7", ["Acme/Shoes"])
    shop.orders[0]["ship country"] = "AT"
    names = Names({}, {"orders": {"shipping.country": "ship country"}}, reading(SHIP_TO).fields)
    with open_warehouse(write_csv(shop, tmp_path), names, reading(SHIP_TO)) as tables:
        (event,) = [fact for fact in tables.events() if isinstance(fact, Order)]
        assert event.own == {"order.shipping.country": "AT"}


def test_a_wrong_value_of_an_own_field_leaves_its_row_out(tmp_path: Path) -> None:
    shop = Shop().user("7").user("8").order("1", "7").order("2", "8")
    shop.users[0]["income"], shop.users[1]["income"] = "12", "much"
    with open_warehouse(write_csv(shop, tmp_path), reading=reading(INCOME)) as tables:
        assert [fact.own for fact in tables.events() if isinstance(fact, Signup)] == [{"user.income": 12.0}]
        (note,) = tables.notes()
    assert note.startswith(
        'left out: 1 row of users: income is not a finite number, for example "much" (users.csv, line 3)'
    )
    with open_warehouse(tmp_path, reading=reading(TOTAL_ORDERS)) as tables:
        assert tables.notes() == []


def test_a_wrong_value_is_that_of_its_own_field_and_names_its_own_reader(tmp_path: Path) -> None:
    """A name that ends like a known field's, and one that two levels have."""
    listed = Feature("listed", "max", "item.list_price")
    spend, paid = Feature("spend", "sum", "price"), Feature("paid", "last", "order.price", type="number")
    shop = Shop().user("7").order("1", "7", [{"sale_price": "7.77"}]).order("2", "7")
    shop.order_items[0]["list_price"] = "bogus"
    with open_warehouse(write_csv(shop, tmp_path), reading=reading(listed, spend)) as tables:
        (note,) = tables.notes()
    assert 'for example "bogus" (order_items.csv, line 2)' in note
    assert "leave listed out" in note
    shop.order_items[0]["list_price"], shop.orders[1]["price"] = "8", "much"
    with open_warehouse(write_csv(shop, tmp_path), reading=reading(spend, paid)) as tables:
        (note,) = tables.notes()
    assert "leave paid out" in note


def test_users_that_no_feature_reads_may_be_empty(tmp_path: Path) -> None:
    orders = "order_id,user_id,created_at\n1,7,2024-01-01\n"
    folder = folder_of(tmp_path, {"orders": orders, "users": "user_id\n"})
    with open_warehouse(folder, reading=reading(TOTAL_ORDERS)) as tables:
        assert tables.counts().users == 1


def test_a_second_table_that_nothing_refers_to_is_not_read(tmp_path: Path) -> None:
    files = {
        "orders": "order_id,user_id,created_at\n1,7,2024-01-01\n",
        "order_items": "order_id,brand\n1,Acme\n",
        "inventory_items": "id,stock\n1,5\n",
    }
    with open_warehouse(folder_of(tmp_path, files), reading=reading(BRAND)) as tables:
        assert tables.features(features=(BRAND,))["most_frequent_brand"].to_pylist() == ["Acme"]


def test_users_without_a_time_are_told_once(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        {"orders": "order_id,user_id,created_at\n1,7,2024-01-01\n", "users": "user_id,income\n7,3\n"},
    )
    with open_warehouse(folder, reading=reading(INCOME)) as tables:
        assert tables.features(features=(INCOME,)).to_pylist() == [{"user_id": "7", "income": 3.0}]
        (note,) = tables.notes()
        assert note.startswith("table users has no column created_at, so its rows count as written in 1970")


def test_every_own_feature_has_its_type_in_the_rows(tmp_path: Path) -> None:
    vip = declared([Feature("vip", "attribute", "user.vip", type="boolean")])[-1]
    shop = Shop().user("7").user("8").order("1", "7").order("2", "8")
    shop.users[0]["vip"], shop.users[1]["vip"] = "Yes", "0"
    with open_warehouse(write_csv(shop, tmp_path), reading=reading(vip)) as tables:
        assert tables.features(features=(vip,))["vip"].to_pylist() == [1.0, 0.0]
