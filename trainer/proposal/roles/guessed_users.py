"""Finds orders and their users by contents, where names show no orders."""

from collections.abc import Sequence

from schemas.errors import BadWarehouse
from trainer.proposal.looks.desk import Desk
from trainer.proposal.roles.column_roles import Found, says_nothing
from trainer.proposal.roles.guessed_orders import Reading, readings
from trainer.proposal.roles.guesses import Guessed, in_words
from trainer.proposal.roles.shared_values import are_ages, are_births


def guess_orders(found: Sequence[Found], desk: Desk) -> Guessed:
    """Guess the columns of orders and of their users from the values.

    Args:
        found: the tables with the roles that names gave; no table has an order's id, user and time.
        desk: the copies.

    Returns:
        The tables with more roles; without a guess if no table can be read as orders.

    Raises:
        BadWarehouse: tables can be read as orders in several ways that fit equally well.
    """
    all_ = readings(found, desk)
    if len(all_) > 1:
        raise BadWarehouse(_several(all_))
    guessed = Guessed(list(found))
    for reading in all_:
        orders = _orders(reading, guessed)
        if reading.users is not None:
            users, key = reading.users
            guessed.add(users, "user_id", key, "the id of a user", "its values are unique here")
        for one in [one for one in guessed.found if one.is_of_users]:
            births = _births(one, orders, guessed, desk)
            why = "its values are whole numbers from 10 to 100"
            guessed.try_(births, "age", lambda c: are_ages(c, desk), "a user's age", why)
    return guessed


def _orders(reading: Reading, guessed: Guessed) -> Found:
    orders = guessed.add(
        reading.orders,
        "order_id",
        reading.order_id,
        "the order's id",
        "its values are unique" if reading.order_id.unique else "it groups rows of one time and one user",
    )
    if reading.users is None:
        why = "its values repeat over the orders, and each order has one"
    else:
        why = f"its values repeat here and are unique in {in_words(reading.users[0].table, reading.users[1])}"
    orders = guessed.add(orders, "user_id", reading.user_id, "the order's user", why)
    return guessed.add(orders, "time", reading.time, "the order's time", "its values are dates")


def _births(users: Found, orders: Found, guessed: Guessed, desk: Desk) -> Found:
    """Take dates years before the first order for birthdays, and not for the time of the signup."""
    time = users.roles.get("time")
    if time is None or not says_nothing(time.name) or not are_births(time, orders.roles["time"], desk):
        return users
    without = Found(users.table, {role: column for role, column in users.roles.items() if role != "time"})
    guessed.found[guessed.found.index(users)] = without
    return guessed.add(
        without, "birth", time, "a user's birthday", "its dates lie 10 years or more before the first order"
    )


def _several(all_: Sequence[Reading]) -> str:
    ways = dict.fromkeys(
        f"{in_words(each.orders.table, each.order_id)} as an order's id with"
        f" {in_words(each.orders.table, each.user_id)} as its user and"
        f" {in_words(each.orders.table, each.time)} as its time"
        for each in all_
    )
    few = list(ways)[:3]
    more = f" (and {len(ways) - len(few)} more)" if len(ways) > len(few) else ""
    return (
        "no table has an order's id, its user and its time by names, and by values several columns fit"
        f" equally well: {'; or '.join(few)}{more}; name the table and its columns by hand in segue.toml,"
        " under [tables] and [columns.orders] (docs/your-data.md)"
    )
