"""The rules of the features, one small shop each; all expected values are derived by hand."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from schemas.errors import BadWarehouse
from schemas.features import FEATURES
from tests.support.inputs.shops import Shop, features_by_user, write_csv
from trainer.warehouse import open_warehouse, schema_of

Features = Callable[..., dict[str, dict[str, object]]]


@pytest.fixture
def features(tmp_path: Path) -> Features:
    def read(shop: Shop, **options: object) -> dict[str, dict[str, object]]:
        if not shop.users:  # a warehouse without any user is refused
            shop.user("somebody else")
        return features_by_user(write_csv(shop, tmp_path), **options)

    return read


def test_the_table_has_one_schema_and_the_order_of_bytes(tmp_path: Path) -> None:
    shop = Shop().user("b").user("B").user("10").user("9").user("é").user("z")
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        table = warehouse.features()
    assert table.schema.equals(schema_of(FEATURES))
    assert isinstance(table, pa.Table)
    # "é" is C3 A9 in UTF-8, beyond every ASCII letter.
    assert table["user_id"].to_pylist() == ["10", "9", "B", "b", "z", "é"]


def test_everyone_of_users_or_orders_has_a_row(features: Features) -> None:
    shop = Shop().user("only signed up", age="30").order("o", "only bought", ["Acme/Shoes"])
    assert features(shop) == {
        "only signed up": {
            "age": 30.0,
            "gender": None,
            "country": None,
            "traffic_source": None,
            "total_orders": None,
            "most_frequent_brand": None,
            "most_frequent_category": None,
        },
        "only bought": {
            "age": None,
            "gender": None,
            "country": None,
            "traffic_source": None,
            "total_orders": 1,
            "most_frequent_brand": "Acme",
            "most_frequent_category": "Shoes",
        },
    }


def test_ids_are_texts_never_numbers(features: Features) -> None:
    shop = (
        Shop().user("7", age="7").user("07", age="8").user("007", age="9").order("1", "07").order("01", "07")
    )
    rows = features(shop)
    assert [rows[user]["age"] for user in ("7", "07", "007")] == [7, 8, 9]
    assert rows["07"]["total_orders"] == 2
    assert rows["7"]["total_orders"] is None


def test_orders_are_counted_and_not_items(features: Features) -> None:
    shop = Shop().user("u").order("1", "u", ["A/X"] * 4).order("2", "u", ["A/X"] * 3)
    assert features(shop)["u"]["total_orders"] == 2


def test_one_order_id_of_two_users_is_two_orders(features: Features) -> None:
    shop = Shop().user("u").user("v").order("1", "u", ["Acme/Shoes"]).order("1", "v", [])
    rows = features(shop)
    assert rows["u"]["total_orders"] == rows["v"]["total_orders"] == 1
    assert rows["v"]["most_frequent_brand"] == "Acme"


def test_an_order_without_items_is_no_order(features: Features) -> None:
    shop = Shop().user("u").order("1", "u").order("2", "u", []).order("3", "w", [])
    rows = features(shop)
    assert rows["u"]["total_orders"] == 1
    assert "w" not in rows


def test_most_items_wins_and_quantities_add_up(features: Features) -> None:
    shop = Shop().order("1", "u", ["Acme/Shoes", "Acme/Shoes", "Beta/Hats"])
    assert features(shop)["u"]["most_frequent_brand"] == "Acme"
    shop.item("1", "Beta/Hats", quantity="2")  # Acme 2, Beta 1 + 2
    assert features(shop)["u"]["most_frequent_brand"] == "Beta"
    assert features(shop)["u"]["most_frequent_category"] == "Hats"


def test_quantities_beyond_a_double_are_counted_exactly(features: Features) -> None:
    large = 2**63 - 1
    shop = Shop().order("1", "u", [], created_at="2024-01-01 00:00:00")
    shop.item("1", "Acme/Shoes", quantity=str(large)).item("1", "Acme/Shoes", quantity=str(large))
    shop.order("2", "u", [], created_at="2024-01-02 00:00:00")
    shop.item("2", "Beta/Shoes", quantity=str(large)).item("2", "Beta/Shoes", quantity=str(large))
    shop.item("2", "Beta/Shoes", quantity="1")
    assert features(shop)["u"]["most_frequent_brand"] == "Beta"


@pytest.mark.parametrize(
    ("user", "brands", "winner"),
    [
        # md5sum of user:brand begins: 7:Beta 1a, 7:Acme b8, 7:Zeta e0; 8:Zeta 01, 8:Beta 88, 8:Acme f8.
        ("7", ["Acme", "Beta", "Zeta"], "Beta"),
        ("7", ["Acme", "Zeta"], "Acme"),
        ("8", ["Acme", "Beta", "Zeta"], "Zeta"),
        ("8", ["Acme", "Beta"], "Beta"),
        # 7:Spain 60, 7:España f8; 7:acme 75, 7:Acme b8.
        ("7", ["España", "Spain"], "Spain"),
        ("7", ["España"], "España"),
        ("7", ["Acme", "acme"], "acme"),
    ],
)
def test_a_tie_at_one_time_goes_to_the_smallest_md5(
    features: Features, user: str, brands: list[str], winner: str
) -> None:
    shop = Shop().order("1", user, [f"{brand}/{brand}" for brand in brands])
    row = features(shop)[user]
    assert (row["most_frequent_brand"], row["most_frequent_category"]) == (winner, winner)


def test_a_tie_goes_to_the_value_held_first(features: Features) -> None:
    # By MD5 user 7 prefers Beta to Acme and Hats (33) to Shoes (66), which were bought a microsecond earlier.
    shop = Shop().order("1", "7", ["Beta/Hats"], "2024-01-01 00:00:00.000002")
    shop.order("2", "7", ["Acme/Shoes"], "2024-01-01 00:00:00.000001")
    row = features(shop)["7"]
    assert (row["most_frequent_brand"], row["most_frequent_category"]) == ("Acme", "Shoes")
    # Now each holds 2, and Acme's first order is still the older one.
    shop.order("3", "7", ["Acme/Shoes", "Beta/Hats"], "2024-01-03 00:00:00")
    row = features(shop)["7"]
    assert (row["most_frequent_brand"], row["most_frequent_category"]) == ("Acme", "Shoes")


def test_an_excluded_order_does_not_hold_a_value_first(features: Features) -> None:
    shop = Shop().order("1", "7", ["Acme/Shoes"], "2024-01-01 00:00:00", status="Cancelled")
    shop.order("2", "7", ["Beta/Hats"], "2024-01-02 00:00:00")
    shop.order("3", "7", ["Acme/Shoes"], "2024-01-03 00:00:00")
    assert features(shop)["7"]["most_frequent_brand"] == "Acme"
    row = features(shop, exclude_statuses=("Cancelled",))["7"]
    assert (row["total_orders"], row["most_frequent_brand"]) == (2, "Beta")


def test_null_and_blank_values_are_no_values(features: Features) -> None:
    shop = Shop().order("1", "u", ["/", "/", "\u3000 \t/\u00a0", "Acme/"])
    row = features(shop)["u"]
    assert (row["most_frequent_brand"], row["most_frequent_category"]) == ("Acme", None)


def test_an_item_of_an_unknown_inventory_row_has_no_brand(features: Features) -> None:
    shop = Shop().order("1", "u", []).item("1", inventory_item_id="gone").item("1", inventory_item_id=None)
    row = features(shop)["u"]
    assert (row["total_orders"], row["most_frequent_brand"], row["most_frequent_category"]) == (1, None, None)


def test_an_inventory_row_that_stands_there_twice_sells_once(features: Features) -> None:
    shop = Shop().order("1", "u", ["Acme/Shoes", "Beta/Hats", "Beta/Hats"])
    shop.inventory_items += [shop.inventory_items[0]] * 5
    assert features(shop)["u"]["most_frequent_brand"] == "Beta"


def test_of_several_inventory_rows_the_smallest_brand_and_then_category_counts(features: Features) -> None:
    shop = Shop().order("1", "u", ["b/x"])
    for brand, category in [(None, "a"), ("B", None), ("B", "z"), ("B", "y"), ("c", "a")]:
        shop.inventory_items.append({"id": "i0", "product_brand": brand, "product_category": category})
    row = features(shop)["u"]
    assert (row["most_frequent_brand"], row["most_frequent_category"]) == ("B", "y")


def test_texts_stay_as_they_are(features: Features) -> None:
    shop = Shop().user("u", gender=" F ", country="España", traffic_source="e\u0301")
    row = features(shop)["u"]
    assert (row["gender"], row["country"], row["traffic_source"]) == (" F ", "España", "e\u0301")


def test_excluded_statuses_are_exact(features: Features) -> None:
    shop = Shop().user("u")
    for order, status in enumerate(["Cancelled", "cancelled", "Cancelled ", None, "O'Hara"]):
        shop.order(str(order), "u", status=status)
    assert features(shop)["u"]["total_orders"] == 5
    assert features(shop, exclude_statuses=("Cancelled",))["u"]["total_orders"] == 4
    assert features(shop, exclude_statuses=("Cancelled", "O'Hara"))["u"]["total_orders"] == 3
    everything = ("Cancelled", "cancelled", "Cancelled ", "O'Hara")
    assert features(shop, exclude_statuses=everything)["u"]["total_orders"] == 1


def test_a_user_whose_orders_are_all_excluded_has_none(features: Features) -> None:
    row = features(Shop().order("1", "u", status="Returned"), exclude_statuses=("Returned",))["u"]
    assert (row["total_orders"], row["most_frequent_brand"]) == (None, None)


def test_statuses_to_exclude_need_a_status_column(tmp_path: Path) -> None:
    shop = Shop().user("u").order("1", "u")
    with open_warehouse(write_csv(shop, tmp_path, without={"orders": ("status",)})) as warehouse:
        assert warehouse.features().num_rows == 1
        with pytest.raises(BadWarehouse, match=r"orders of folder .* has no column status.*\(Cancelled\)"):
            warehouse.features(None, ("Cancelled",))


def test_facts_count_strictly_before_as_of(features: Features) -> None:
    shop = (
        Shop()
        .user("u", "2024-01-01 00:00:00", country="Spain")
        .user("u", "2024-01-02 00:00:00", country="Chile")
    )
    shop.user("late", "2024-01-02 00:00:00").user("timeless", None)
    shop.order("1", "u", ["Acme/Shoes"], "2024-01-01 12:00:00")
    shop.order("2", "u", ["Beta/Hats"] * 2, "2024-01-02 00:00:00").order(
        "3", "later", created_at="2024-01-02 00:00:00"
    )
    rows = features(shop, as_of=datetime(2024, 1, 2, tzinfo=UTC))
    assert set(rows) == {"u", "timeless"}
    assert rows["u"]["country"] == "Spain"
    assert rows["u"]["total_orders"] == 1
    assert rows["u"]["most_frequent_brand"] == "Acme"
    rows = features(shop, as_of=datetime(2024, 1, 2, 0, 0, 0, 1, UTC))
    assert set(rows) == {"u", "timeless", "late", "later"}
    assert (rows["u"]["country"], rows["u"]["most_frequent_brand"]) == ("Chile", "Beta")


def test_rows_of_one_user_are_merged_field_by_field(features: Features) -> None:
    shop = (
        Shop()
        .user("u", "2024-01-01 00:00:00", age="20", gender="F", country="Spain")
        .user("u", "2024-01-03 00:00:00", traffic_source="Email")
        .user("u", "2024-01-02 00:00:00", age="19", gender="A", country=" ", traffic_source="Search")
        .user("u", "2024-01-04 00:00:00")
    )
    row = features(shop)["u"]
    assert (row["age"], row["gender"], row["country"], row["traffic_source"]) == (19, "A", "Spain", "Email")


def test_at_equal_times_the_larger_value_wins(features: Features) -> None:
    # Numbers as numbers: 100 > 9. Texts by UTF-8 bytes: "b" > "B", "É" (C3 89) > "z", U+10000 > U+FFFF.
    shop = (
        Shop()
        .user("u", age="9", gender="B", country="z", traffic_source="\uffff")
        .user("u", age="100", gender="b", country="É", traffic_source="\U00010000")
        .user("u", age="99.5", gender="A", country="a", traffic_source="z")
    )
    row = features(shop)["u"]
    values = (row["age"], row["gender"], row["country"], row["traffic_source"])
    assert values == (100, "b", "É", "\U00010000")


def test_a_row_without_a_time_is_the_oldest(features: Features) -> None:
    shop = (
        Shop()
        .user("u", None, country="Spain", gender="F")
        .user("u", "1970-01-01 00:00:00.000001", country="Chile")
    )
    row = features(shop)["u"]
    assert (row["country"], row["gender"]) == ("Chile", "F")


# The time and status of an order's rows, and whether the row that counts is one of the status Returned.
VERSIONS: list[tuple[list[tuple[str, str | None]], bool]] = [
    # The newest row counts.
    ([("2024-01-02 00:00:00", "Returned"), ("2024-01-01 00:00:00", "Complete")], True),
    ([("2024-01-01 00:00:00", "Returned"), ("2024-01-02 00:00:00", "Complete")], False),
    # At equal times no status is larger than any, else the larger one counts: "Returned" > "Complete".
    ([("2024-01-01 00:00:00", "Returned"), ("2024-01-01 00:00:00", None)], False),
    ([("2024-01-01 00:00:00", "Returned"), ("2024-01-01 00:00:00", "Complete")], True),
    ([("2024-01-01 00:00:00", "Returned"), ("2024-01-01 00:00:00", "complete")], False),
    # As JSON "Returned" goes on with a quote (22), "Returned late" with a space (20).
    ([("2024-01-01 00:00:00", "Returned"), ("2024-01-01 00:00:00", "Returned late")], True),
    ([("2024-01-01 00:00:00", "Returned"), ("2024-01-01 00:00:00", "Returned-late")], False),
]


def test_of_several_rows_for_one_order_one_counts(features: Features) -> None:
    shop = Shop()
    for number, (versions, _) in enumerate(VERSIONS):
        shop.item(f"{number}", "Acme/Shoes")
        for created_at, status in versions:
            shop.order(f"{number}", f"u{number}", [], created_at, status)
    whole, rest = features(shop), features(shop, exclude_statuses=("Returned",))
    for number, (versions, excluded) in enumerate(VERSIONS):
        assert whole[f"u{number}"]["total_orders"] == 1, versions
        assert rest[f"u{number}"]["total_orders"] == (None if excluded else 1), versions


def test_a_version_after_as_of_does_not_hide_the_one_before(features: Features) -> None:
    shop = Shop().order("1", "u", created_at="2024-01-01 00:00:00", status="Complete")
    shop.order("1", "u", [], created_at="2024-02-01 00:00:00", status="Returned")
    options = {"exclude_statuses": ("Returned",)}
    assert features(shop, as_of=datetime(2024, 1, 15, tzinfo=UTC), **options)["u"]["total_orders"] == 1
    assert features(shop, **options)["u"]["total_orders"] is None


def test_an_order_has_its_own_time_not_its_items(tmp_path: Path) -> None:
    folder = write_csv(Shop().user("u").order("1", "u", created_at="2024-01-01 00:00:00"), tmp_path)
    items = folder / "order_items.csv"
    header, row = items.read_text().splitlines()
    items.write_text(f"{header},created_at\n{row},2023-01-01 00:00:00\n")
    rows = features_by_user(folder, as_of=datetime(2023, 6, 1, tzinfo=UTC))
    assert rows == {}


def test_a_window_leaves_users_out_and_no_part_of_their_history(features: Features) -> None:
    day = [f"2024-01-{number:02} 00:00:00" for number in range(1, 10)]
    shop = Shop().user("only signed up", day[2])
    shop.order("1", "before", created_at=day[0]).order("2", "in", ["Beta/Hats"] * 2, day[0])
    shop.order("3", "in", ["Acme/Shoes"], day[2]).order("4", "in", ["Acme/Shoes"] * 2, day[5])
    shop.order("5", "at the end", created_at=day[4]).order(
        "6", "excluded", created_at=day[3], status="Cancelled"
    )

    def users(**window: datetime) -> set[str]:
        return set(features(shop, exclude_statuses=("Cancelled",), **window))

    third, fifth = datetime(2024, 1, 3, tzinfo=UTC), datetime(2024, 1, 5, tzinfo=UTC)
    assert users(start=third, end=fifth) == {"in"}
    assert users(start=third) == {"in", "at the end"}
    assert users(end=fifth) == {"before", "in"}
    assert users(end=fifth, as_of=third) == {"before", "in"}
    assert users(start=third, as_of=third) == set()
    assert "excluded" in features(shop, start=third, end=fifth)
    row = features(shop, start=third, end=fifth)["in"]
    # Orders 2, 3 and 4: what happened before the window and after it counts.
    assert (row["total_orders"], row["most_frequent_brand"]) == (3, "Acme")
    row = features(shop, start=third, end=fifth, as_of=fifth)["in"]
    assert (row["total_orders"], row["most_frequent_brand"]) == (2, "Beta")
