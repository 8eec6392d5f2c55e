"""Rows that would be dead letters as events: counted, named with their reason, and left out."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from schemas.input_events import Order, Signup
from schemas.inputs import field_checks
from tests.support.inputs.hostile_values import NO_NUMBERS, NUMBERS, ZEROS
from tests.support.inputs.shops import Row, Shop, write_csv
from trainer.warehouse import Rejected, Rejections, open_warehouse

LONG_ID, LONGEST_ID = "é" * 128 + "x", "é" * 128  # 257 and 256 bytes
LONG_TEXT, LONGEST_TEXT = "é" * 512 + "x", "é" * 512  # 1,025 and 1,024 bytes


def rejections(shop: Shop, folder: Path, as_of: datetime | None = None) -> Rejections:
    if not shop.users:
        shop.user("somebody else")
    with open_warehouse(write_csv(shop, folder)) as warehouse:
        return warehouse.rejected(as_of)


def test_users(tmp_path: Path) -> None:
    wrong: list[tuple[Row, str]] = [
        ({"id": None}, "user_id is missing"),
        ({"id": "\u2003\t"}, "user_id is missing"),
        ({"id": LONG_ID}, "user_id has more than 256 bytes"),
        ({"age": "old"}, "age is not a number"),
        ({"age": "150.0001"}, "age is outside 0..150"),
        ({"age": "-1"}, "age is outside 0..150"),
        ({"age": "1e300"}, "age is outside 0..150"),
        ({"gender": LONG_TEXT}, "gender has more than 1,024 bytes"),
        ({"country": LONG_TEXT}, "country has more than 1,024 bytes"),
        ({"traffic_source": LONG_TEXT}, "traffic_source has more than 1,024 bytes"),
    ]
    shop = Shop().user("fine")
    expected = set()
    for number, (values, reason) in enumerate(wrong):
        shop.user(f"bad {number}", country="Spain")
        shop.users[-1] |= values
        row_id = None if reason == "user_id is missing" else shop.users[-1]["id"]
        expected.add(Rejected("users", row_id, reason, values.get("age")))
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        rejected = warehouse.rejected()
        assert set(rejected) == expected
        assert rejected.total == len(wrong)
        assert warehouse.features()["user_id"].to_pylist() == ["fine"]
        assert [event.user_id for event in warehouse.events()] == ["fine"]


def test_a_rejected_user_row_does_not_take_the_users_orders_along(tmp_path: Path) -> None:
    shop = Shop().user("u", age="200", country="Spain").order("1", "u")
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        (row,) = warehouse.features().to_pylist()
    assert (row["user_id"], row["country"], row["total_orders"]) == ("u", None, 1)


def test_what_just_fits_is_taken(tmp_path: Path) -> None:
    shop = Shop().user(
        LONGEST_ID, age="150", gender=LONGEST_TEXT, country=LONGEST_TEXT, traffic_source=LONGEST_TEXT
    )
    shop.user("0", age="0").user("-0", age="-0.0").user("e", age="+2.50E+1").user("z", age="0025")
    shop.order(LONGEST_ID, LONGEST_ID, [f"{LONGEST_TEXT}/{LONGEST_TEXT}"] * 1000, status=LONGEST_TEXT)
    shop.order("1", "0", []).item("1", product_id=LONGEST_ID, sale_price="-1e300", quantity="1")
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        assert warehouse.rejected() == Rejections((), {})
        ages = {row["user_id"]: row["age"] for row in warehouse.features().to_pylist()}
    assert ages == {LONGEST_ID: 150, "0": 0, "-0": 0, "e": 25, "z": 25}


def test_orders(tmp_path: Path) -> None:
    wrong: list[tuple[Row, str]] = [
        ({"order_id": None}, "order_id is missing"),
        ({"order_id": "\x1c"}, "order_id is missing"),
        ({"order_id": LONG_ID}, "order_id has more than 256 bytes"),
        ({"user_id": None}, "user_id is missing"),
        ({"user_id": LONG_ID}, "user_id has more than 256 bytes"),
        ({"created_at": None}, "created_at is missing"),
        ({"created_at": "soon"}, "created_at is not a time"),
        ({"status": LONG_TEXT}, "status has more than 1,024 bytes"),
    ]
    shop = Shop().user("u")
    expected = set()
    for number, (values, reason) in enumerate(wrong):
        shop.order(str(number), "u", [])
        shop.orders[-1] |= values
        order_id = shop.orders[-1]["order_id"]
        shop.item(order_id)
        row_id = None if reason == "order_id is missing" else (order_id or "")[:256]
        expected.add(Rejected("orders", row_id, reason, "soon" if values.get("created_at") else None))
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        rejected = warehouse.rejected()
        assert {row for row in rejected if row.table == "orders"} == expected
        assert sum(number for (table, _), number in rejected.counts.items() if table == "orders") == len(
            wrong
        )
        assert warehouse.features()["total_orders"].to_pylist() == [None]


def test_an_order_with_one_bad_item_goes_as_a_whole(tmp_path: Path) -> None:
    no_quantity = "an item's quantity is not a whole number of at least 1"
    no_price = "an item's price is not a finite number"
    wrong: list[tuple[Row, str]] = [
        ({"quantity": "0"}, no_quantity),
        ({"quantity": "-1"}, no_quantity),
        ({"quantity": "1.5"}, no_quantity),
        ({"quantity": "two"}, no_quantity),
        ({"quantity": str(2**63)}, no_quantity),
        ({"quantity": "1e300"}, no_quantity),
        ({"sale_price": "NaN"}, no_price),
        ({"sale_price": "-inf"}, no_price),
        ({"sale_price": "9,99"}, no_price),
        ({"product_id": LONG_ID}, "an item's product_id has more than 256 bytes"),
    ]
    shop = Shop().user("u").order("fine", "u", ["Beta/Hats"])
    for number, (item, _) in enumerate(wrong):
        shop.order(str(number), "u", ["Acme/Shoes", item, "Acme/Shoes"])
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        assert sorted(warehouse.rejected(), key=lambda row: row.row_id or "") == [
            Rejected("orders", str(number), reason, item.get("quantity", item.get("sale_price")))
            for number, (item, reason) in enumerate(wrong)
        ]
        (row,) = warehouse.features().to_pylist()
        assert (row["total_orders"], row["most_frequent_brand"]) == (1, "Beta")
        assert [event.order_id for event in warehouse.events() if isinstance(event, Order)] == ["fine"]


def test_a_whole_quantity_may_be_written_as_it_likes(tmp_path: Path) -> None:
    shop = Shop().user("u")
    for quantity in ("2", "2.0", "02", "2e0", "0.2E+1"):
        shop.order(f"of {quantity}", "u", [{"quantity": quantity}])
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        orders = [event for event in warehouse.events() if isinstance(event, Order)]
    assert [order.items[0].quantity for order in orders] == [2] * 5


def test_an_inventory_text_that_is_too_long(tmp_path: Path) -> None:
    shop = Shop().order("1", "u", ["Acme/Shoes", f"{LONG_TEXT}/Shoes"]).order("2", "u", [f"Acme/{LONG_TEXT}"])
    assert set(rejections(shop, tmp_path)) == {
        Rejected("orders", "1", "an item's brand has more than 1,024 bytes"),
        Rejected("orders", "2", "an item's category has more than 1,024 bytes"),
    }


def test_an_order_has_one_to_a_thousand_items(tmp_path: Path) -> None:
    shop = Shop().order("none", "u", []).order("many", "u", ["Acme/Shoes"] * 1001)
    assert list(rejections(shop, tmp_path)) == [
        Rejected("orders", "many", "the order has more than 1,000 items"),
        Rejected("orders", "none", "the order has no items"),
    ]


def test_items_of_no_order(tmp_path: Path) -> None:
    shop = Shop().item("gone").item(None).item(" ", id=None)
    assert list(rejections(shop, tmp_path)) == [
        Rejected("order_items", None, "no order has its order_id"),
        Rejected("order_items", "00001", "no order has its order_id", "gone"),
        Rejected("order_items", "00002", "no order has its order_id"),
    ]


def test_many_rows_are_counted_and_some_are_named(tmp_path: Path) -> None:
    shop = Shop()
    for number in range(250):
        shop.user(f"{number:03}", age="200" if number < 240 else "x")
    rejected = rejections(shop, tmp_path)
    assert rejected.counts == {("users", "age is outside 0..150"): 240, ("users", "age is not a number"): 10}
    assert rejected.total == 250
    assert len(rejected) == 110
    assert rejected[0] == Rejected("users", "240", "age is not a number", "x")
    assert [row.row_id for row in rejected[10:]] == [f"{number:03}" for number in range(100)]


def test_rows_after_as_of_are_not_named(tmp_path: Path) -> None:
    shop = (
        Shop()
        .user("early", "2024-01-01 00:00:00", age="x")
        .user("late", "2024-01-02 00:00:00", age="x")
        .user("timeless", "never")
        .order("early", "u", [], "2024-01-01 00:00:00")
        .order("late", "u", [], "2024-01-02 00:00:00")
    )
    rejected = rejections(shop, tmp_path, datetime(2024, 1, 2, tzinfo=UTC))
    assert [row.row_id for row in rejected] == ["early", "early", "timeless"]


def test_blank_is_what_python_calls_space(tmp_path: Path) -> None:
    """Every space of Unicode, its neighbours, and characters that only look blank; in every text."""
    spaces = [chr(code) for code in range(0x110000) if chr(code).isspace()]
    assert len(spaces) == 29
    others = [chr(ord(space) + step) for space in spaces for step in (-1, 1)]
    tried = sorted({*spaces, *others, "\u200b", "\ufeff", "\u180e"})
    shop = Shop()
    for number, character in enumerate(tried):
        texts = dict.fromkeys(("gender", "country", "traffic_source"), character * 2)
        shop.user(f"blank {number}", **texts).user(f"not {number}", **dict.fromkeys(texts, f" {character}x"))
        shop.order(str(number), f"blank {number}", [], status=character * 2)
        shop.item(str(number), f"{character * 2}/{character * 2}", product_id=character * 2)
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        rows = {row["user_id"]: row for row in warehouse.features().to_pylist()}
        orders = {event.user_id: event for event in warehouse.events() if isinstance(event, Order)}
    for number, character in enumerate(tried):
        text = None if character.isspace() else character * 2
        row, order = rows[f"blank {number}"], orders[f"blank {number}"]
        (item,) = order.items
        read = [row["gender"], row["country"], row["traffic_source"], order.status, item.brand, item.category]
        assert [*read, item.product_id] == [text] * 7, hex(ord(character))
        row = rows[f"not {number}"]
        assert {row["gender"], row["country"], row["traffic_source"]} == {f" {character}x"}


def test_what_is_no_number(tmp_path: Path) -> None:
    shop = Shop()
    for number, text in enumerate(NO_NUMBERS):
        shop.user(f"{number:02}", age=text)
        shop.order(f"p{number:02}", "u", [{"sale_price": text}]).order(
            f"q{number:02}", "u", [{"quantity": text}]
        )
    rejected = rejections(shop, tmp_path)
    assert rejected.counts == {
        ("users", "age is not a number"): len(NO_NUMBERS),
        ("orders", "an item's price is not a finite number"): len(NO_NUMBERS),
        ("orders", "an item's quantity is not a whole number of at least 1"): len(NO_NUMBERS),
    }


def test_a_number_too_small_for_a_double_is_0_as_in_an_event(tmp_path: Path) -> None:
    shop = Shop().user("u")
    for number, text in enumerate(ZEROS):
        shop.order(str(number), "u", [{"sale_price": text}])
        assert field_checks.price({"price": Decimal(text)}) == 0
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        orders = [event for event in warehouse.events() if isinstance(event, Order)]
    assert [order.items[0].price for order in orders] == [0] * len(ZEROS)


def test_one_number_in_many_writings(tmp_path: Path) -> None:
    shop = Shop()
    for text in NUMBERS:
        shop.user(f"u{text}", age=text).order(
            f"o{text}", f"u{text}", [{"sale_price": text, "quantity": text}]
        )
    with open_warehouse(write_csv(shop, tmp_path)) as warehouse:
        events = list(warehouse.events())
    signups = [event for event in events[: len(NUMBERS)] if isinstance(event, Signup)]
    orders = [event for event in events[len(NUMBERS) :] if isinstance(event, Order)]
    assert [signup.age for signup in signups] == [25] * len(NUMBERS)
    assert [(order.items[0].price, order.items[0].quantity) for order in orders] == [(25, 25)] * len(NUMBERS)


def test_they_are_read_once_for_each_time(tmp_path: Path) -> None:
    write_csv(Shop().user("u"), tmp_path)
    with open_warehouse(tmp_path) as warehouse:
        everything = warehouse.rejected()
        assert warehouse.rejected() is everything
        assert warehouse.rejected(datetime(2024, 1, 1, tzinfo=UTC)) is not everything
