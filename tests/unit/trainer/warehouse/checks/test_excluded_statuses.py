"""Excluded statuses that no order has are said."""

from pathlib import Path

from schemas.features import Feature
from tests.support.inputs.shops import Shop, write_csv
from trainer.warehouse import Reading, open_warehouse

READING = Reading(features=(Feature("orders", "count", "order"),), statuses=True)


def test_a_status_in_another_spelling_is_no_status(tmp_path: Path) -> None:
    shop = Shop().user("7")
    for number, status in enumerate(["cancelled", "cancelled", "Complete", None]):
        shop.order(str(number), "7", status=status, created_at=f"2024-01-0{number + 1} 00:00:00")
    with open_warehouse(write_csv(shop, tmp_path), reading=READING) as warehouse:
        assert warehouse.notes() == warehouse.notes(None, ("Complete", "cancelled")) == []
        assert warehouse.notes(None, ("Cancelled", "Complete")) == [
            'no order has the status "Cancelled" of exclude_statuses: orders have "cancelled", "Complete"'
        ]


def test_the_most_frequent_others_are_named(tmp_path: Path) -> None:
    shop = Shop().user("7")
    for number in range(12):
        shop.order(str(number), "7", status=f"s{number:02}")
    with open_warehouse(write_csv(shop, tmp_path), reading=READING) as warehouse:
        (note,) = warehouse.notes(None, ("Returned", "s11"))
        assert note.endswith('orders have "s00", "s01", "s02", "s03", "s04", "s05", "s06", "s07" and others')


def test_orders_without_any_status(tmp_path: Path) -> None:
    shop = Shop().user("7").order("1", "7", status=None)
    with open_warehouse(write_csv(shop, tmp_path), reading=READING) as warehouse:
        (note,) = warehouse.notes(None, ("Returned",))
        assert note == 'no order has the status "Returned" of exclude_statuses: orders have no status'
