"""What a command says of the facts that it left out."""

from schemas.errors import BadEvent
from schemas.input_events import Order
from segue.show.refused_text import refused_lines
from streamer.batch.refusals import Refusals
from tests.support.strategies.events import START


def refusals(users: int) -> Refusals:
    made = Refusals()
    for number in range(users):
        for order in range(2):
            made.add(
                Order(f"{number}", f"{order}", START, ()), BadEvent("items", f"order {order} is too much")
            )
    return made


def test_nothing_is_said_where_nothing_was_refused() -> None:
    assert list(refused_lines(Refusals(), "events")) == []


def test_facts_are_counted_and_users_named_with_the_first_reason() -> None:
    assert list(refused_lines(refusals(1), "events")) == [
        "2 events cannot be applied and are left out, as workers make dead letters of them.",
        "User 0: 2 left out; the first, items: order 0 is too much.",
    ]


def test_of_many_users_the_first_ten_are_named_or_all() -> None:
    lines = list(refused_lines(refusals(12), "events"))
    assert len(lines) == 12
    assert lines[-1] == "And 2 more users; --json names them all."
    assert len(list(refused_lines(refusals(12), "events", every=True))) == 13
