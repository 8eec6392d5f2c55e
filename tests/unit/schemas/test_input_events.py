from schemas.input_events import Item, Order, Signup, UserErased
from schemas.times import EPOCH, parse

LATER = parse("2024-01-31T09:30:00Z")


def test_the_time_that_orders_a_fact() -> None:
    assert Signup("7", LATER).at == LATER
    assert UserErased("7", LATER).at == LATER
    assert Order("7", "12", EPOCH, ()).at == EPOCH
    assert Order("7", "12", EPOCH, (), updated_at=LATER).at == LATER


def test_a_missing_quantity_counts_as_one() -> None:
    assert Item().count == 1
    assert Item(quantity=3).count == 3
