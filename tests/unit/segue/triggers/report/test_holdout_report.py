"""What a trigger changed: nothing where nothing was changed, and what was planted where something was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import pytest
from msgspec import Struct, structs

import segue
from segue.triggers.file.trigger_file import Trigger
from segue.triggers.ledger_records import encode, entry_key, user_key
from segue.triggers.policy import Entry, User, held_out
from segue.triggers.report.holdout_numbers import HoldoutReport
from segue.triggers.report.holdout_report import Bought, _amounts, report_on
from segue.triggers.report.holdout_statistics import compare, difference_of
from segue.triggers.report.holdout_text import report_lines
from segue.triggers.report.read_assignments import Assigned, Assignments, assignments_of
from trainer.warehouse import open_warehouse

THELOOK = Path(segue.__file__).parent / "data" / "thelook"
T = datetime(2024, 6, 1, tzinfo=UTC)
NOW = datetime(2025, 1, 1, tzinfo=UTC)
BEFORE_NOW = NOW - timedelta(microseconds=1)


class Last(Struct):
    last_at: datetime | None


class Orders:
    """Orders in memory; somebody without a webhook orders last."""

    def __init__(
        self, orders: list[Bought], last_at: datetime | None = NOW, last_order_at: datetime = BEFORE_NOW
    ) -> None:
        self._orders: list[Bought] = [*orders, ("somebody", last_order_at, None)]
        self._last = Last(last_at)

    def counts(self, as_of: datetime | None) -> Last:
        return self._last

    def bought(
        self, since: datetime, until: datetime, exclude_statuses: tuple[str, ...] = ()
    ) -> Iterator[Bought]:
        return (each for each in self._orders if since <= each[1] < until)


def report(assigned: list[Assigned], orders: Orders, days: int = 28) -> HoldoutReport:
    return report_on("t", 0.5, Assignments(tuple(assigned), 0), orders, days=days, now=NOW)


def many(count: int, buying: float, *, out: bool, at: datetime = T) -> tuple[list[Assigned], list[Bought]]:
    """Users of one group; the first ``buying`` of them order once, for 10."""
    users = [Assigned(f"{out}-{number}", at, out) for number in range(count)]
    return users, [(user.user_id, at, 1000.0) for user in users[: int(count * buying)]]


def test_means_and_their_difference() -> None:
    treated, more = many(200, 0.5, out=False)
    held, less = many(100, 0.25, out=True)
    both = report(treated + held, Orders(more + less)).comparison
    assert ((both.treated.users, both.treated.buyers), both.held_out.users) == ((200, 100), 100)
    orders, spend = both.differences
    assert (orders.treated, orders.held_out, orders.difference) == (0.5, 0.25, 0.25)
    assert (spend.treated, spend.held_out, spend.difference) == (5.0, 2.5, 2.5)
    assert orders.is_seen


def test_the_interval_is_that_of_the_larger_error() -> None:
    """By hand."""
    four, two = np.array([0.0, 1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0])
    found = difference_of("orders", four, two)
    assert found.difference == 1.5
    # Variances 2.5 and 0.5: pooled (4 * 2.5 + 0.5) / 5 = 2.1, squared error 2.1 * (1/5 + 1/2) = 1.47.
    # Welch's is 0.5 + 0.25, with freedom 0.75^2 / (0.5^2 / 4 + 0.25^2 / 1) = 4.5, whose t is 2.658.
    assert (found.high - found.low) / 2 == pytest.approx(2.658 * 1.47**0.5, rel=1e-3)
    # Variances 2.5 and 0 of 20: Welch's 2.5 / 5 = 0.5 with freedom 4, whose t is 2.776, is above the pooled
    # 10 / 23 * (1/5 + 1/20) = 0.109.
    found = difference_of("orders", four, np.ones(20))
    assert (found.high - found.low) / 2 == pytest.approx(2.776 * 0.5**0.5, rel=1e-3)


def test_only_the_users_own_days_count() -> None:
    user, other = Assigned("a", T, False), Assigned("b", T + timedelta(days=40), True)
    times = [T - timedelta(seconds=1), T, T + timedelta(days=28, seconds=-1), T + timedelta(days=28)]
    orders: list[Bought] = [(who, at, 100.0) for who in ("a", "b", "c") for at in times]
    amounts = _amounts([user, other], orders, timedelta(days=28))
    assert [list(each) for each in amounts if each is not None] == [[2, 0], [2.0, 0]]


def test_users_whose_days_have_not_passed_do_not_count() -> None:
    treated, more = many(200, 0.5, out=False)
    held, less = many(150, 0.5, out=True)
    late, _ = many(30, 0, out=False, at=NOW - timedelta(days=27))
    found = report(treated + held + late, Orders(more + less))
    assert (found.unfinished, found.comparison.treated.users) == (30, 200)
    assert "30 users whose days have not passed (orders up to 2024-12-31)" in "\n".join(report_lines(found))


def test_days_of_which_the_warehouse_has_only_the_signups_have_not_passed() -> None:
    treated, more = many(200, 0.5, out=False)
    held, less = many(150, 0.5, out=True)
    late, _ = many(300, 0, out=True, at=T + timedelta(days=5))
    last_order_at = T + timedelta(days=30)
    found = report(treated + held + late, Orders(more + less, last_order_at=last_order_at))
    assert (found.until, found.unfinished, found.comparison.held_out.users) == (last_order_at, 300, 150)
    assert not found.comparison.differences[0].is_seen


@pytest.mark.parametrize(
    ("treated", "held", "words"),
    [
        ((99, 1), (200, 1), "99 users got the webhook and their days have passed; 100 are needed"),
        ((200, 1), (99, 1), "99 users were held out"),
        ((200, 1), (100, 0.19), "19 of those who were held out have ordered since; 20 are needed"),
        ((0, 1), (0, 1), "0 users got the webhook"),
    ],
)
def test_not_enough_yet(treated: tuple[int, float], held: tuple[int, float], words: str) -> None:
    users, orders = many(*treated, out=False)
    others, theirs = many(*held, out=True)
    found = report(users + others, Orders(orders + theirs))
    assert found.comparison.differences == ()
    (line,) = [each for each in report_lines(found) if "Not enough yet" in each]
    assert words in line


def test_webhooks_that_nobody_took_are_named() -> None:
    treated, more = many(200, 0.5, out=False)
    refused = [structs.replace(user, dead=True) for user in treated[:150]]
    late = Assigned("late", NOW, False, dead=True)
    held, less = many(150, 0.5, out=True)
    found = report([*refused, *treated[150:], *held, late], Orders(more + less))
    assert (found.dead, found.comparison.treated.users) == (150, 200)
    assert "  No receiver took the last webhook of 150 users: " in "\n".join(report_lines(found))


def test_a_small_share_is_shown_as_the_file_has_it() -> None:
    found = structs.replace(report([], Orders([])), holdout=0.005, regrouped=1)
    first, second, _ = report_lines(found)
    assert "0 were held out (0.5%);" in first
    assert "now 0.5%." in second


def test_a_warehouse_without_prices_or_without_facts() -> None:
    treated, more = many(200, 0.5, out=False)
    held, less = many(200, 0.5, out=True)
    unpriced: list[Bought] = [(user, at, None) for user, at, _ in more + less]
    (orders,) = report(treated + held, Orders(unpriced)).comparison.differences
    assert orders.outcome == "orders"
    nothing = report(treated + held, Orders([], None))
    assert (nothing.unfinished, nothing.until) == (400, None)
    assert "the warehouse has no facts" in "\n".join(report_lines(nothing))


def test_nobody_differs_at_all() -> None:
    equal = compare(np.ones(300), None, np.arange(300) < 150)
    (orders,) = equal.differences
    assert (orders.low, orders.high, orders.smallest, orders.is_seen) == (0, 0, 0, False)


def test_users_of_the_ledger() -> None:
    """A dead letter counts as sent: by assignment. A user of another group than the file's is left out."""
    trigger = Trigger(name="t", on="entering", segment=1, holdout=0.5)
    entry = Entry("e", NOW, T, 2, "sent")
    out = [str(n) for n in range(50) if held_out("t", str(n), 0.5)]
    kept = [str(n) for n in range(50) if not held_out("t", str(n), 0.5)]
    ledger = {entry_key("t", user): encode(entry) for user in kept[1:]}
    ledger[entry_key("t", kept[0])] = encode(Entry("e", NOW, T, 2, "dead_letter"))
    ledger[entry_key("t", out[0])] = encode(Entry("e", NOW, T, 2, "held_out"))
    ledger[entry_key("t", out[1])] = encode(entry)
    # Held out at last, as the file says, and treated before.
    ledger[entry_key("t", out[3])] = encode(Entry("e", NOW, T, 2, "held_out", regrouped=True))
    ledger[entry_key("tt", out[2])] = ledger[entry_key("other", out[2])] = encode(entry)
    ledger[user_key(out[2])] = encode(User())
    found = assignments_of(trigger, ledger.items())
    assert [user.user_id for user in found.users if user.dead] == [kept[0]]
    assert {user.user_id: user.held_out for user in found.users} == {
        out[0]: True,
        **dict.fromkeys(kept, False),
    }
    assert {user.at for user in found.users} == {T}
    assert found.regrouped == 2


@pytest.fixture(scope="module")
def thelook() -> tuple[list[tuple[str, datetime]], list[Bought]]:
    """Users just after their first order, and all orders."""
    with open_warehouse(THELOOK) as warehouse:
        orders = list(warehouse.bought(datetime(2019, 1, 1, tzinfo=UTC), NOW))
    first: dict[str, datetime] = {}
    for user, at, _ in orders:
        first[user] = min(at, first.get(user, at))
    return [(user, at + timedelta(seconds=1)) for user, at in first.items()], orders


def assigned(users: list[tuple[str, datetime]], trigger: str, share: float) -> list[Assigned]:
    return [Assigned(user, at, held_out(trigger, user, share)) for user, at in users]


# Of 100 right intervals of 95%, between 90 and 99 hold the truth in 98 of 100 cases.
_SHARES = [(0.1, 95), pytest.param(0.5, 90, marks=pytest.mark.wide)]


@pytest.mark.long
@pytest.mark.parametrize(("share", "least"), _SHARES)
def test_holdouts_of_a_trigger_that_does_nothing_find_nothing(
    thelook: tuple[list[tuple[str, datetime]], list[Bought]], share: float, least: int
) -> None:
    users, orders = thelook
    seen = {"orders": 0, "spend": 0}
    for number in range(100):
        found = report(assigned(users, f"aa-{number}", share), Orders(orders))
        for difference in found.comparison.differences:
            seen[difference.outcome] += difference.is_seen
    assert max(seen.values()) <= 100 - least
    assert sum(seen.values()) >= 1  # an interval that is never wrong is too wide


@pytest.mark.long
@pytest.mark.parametrize(("share", "least"), _SHARES)
def test_a_planted_effect_lies_in_the_interval(
    thelook: tuple[list[tuple[str, datetime]], list[Bought]], share: float, least: int
) -> None:
    """Of the users with the webhook, 3 in 100 order once more."""
    users, orders = thelook
    prices = [cents for _, _, cents in orders if cents is not None]
    known = {"orders": 0.03, "spend": 0.03 * float(np.mean(prices)) / 100}
    inside, seen = {"orders": 0, "spend": 0}, 0
    for number in range(100):
        chance = Random(number)
        group = assigned(users, f"planted-{number}", share)
        more: list[Bought] = [
            (user.user_id, user.at + timedelta(days=1), chance.choice(prices))
            for user in group
            if not user.held_out and user.at + timedelta(days=28) <= NOW and chance.random() < 0.03
        ]
        for difference in report(group, Orders(orders + more)).comparison.differences:
            inside[difference.outcome] += difference.low <= known[difference.outcome] <= difference.high
            seen += difference.outcome == "orders" and difference.is_seen
    assert min(inside.values()) >= least
    assert seen >= 90


@pytest.mark.long
@pytest.mark.wide
def test_a_planted_loss_lies_in_the_interval(
    thelook: tuple[list[tuple[str, datetime]], list[Bought]],
) -> None:
    """The trigger takes every second order away, so that the few held out vary more than the others."""
    users, orders = thelook
    both = report(assigned(users, "all", 0.5), Orders(orders)).comparison
    sizes = (both.treated.users, both.held_out.users)
    known = {
        each.outcome: -float(np.average((each.treated, each.held_out), weights=sizes)) / 2
        for each in both.differences
    }
    inside = {"orders": 0, "spend": 0}
    for number in range(100):
        chance = Random(number)
        group = assigned(users, f"loss-{number}", 0.1)
        treated = {user.user_id for user in group if not user.held_out}
        left = [each for each in orders if each[0] not in treated or chance.random() < 0.5]
        for difference in report(group, Orders(left)).comparison.differences:
            inside[difference.outcome] += difference.low <= known[difference.outcome] <= difference.high
    assert min(inside.values()) >= 90


@pytest.mark.long
def test_the_smallest_effect_is_seen_in_80_of_100(
    thelook: tuple[list[tuple[str, datetime]], list[Bought]],
) -> None:
    users, orders = thelook
    nothing = report(assigned(users, "size", 0.5), Orders(orders)).comparison.differences[0]
    seen = 0
    for number in range(100):
        chance = Random(number)
        group = assigned(users, f"power-{number}", 0.5)
        more: list[Bought] = [
            (user.user_id, user.at + timedelta(days=1), 100.0)
            for user in group
            if not user.held_out and chance.random() < nothing.smallest
        ]
        seen += report(group, Orders(orders + more)).comparison.differences[0].is_seen
    assert 68 <= seen <= 92
