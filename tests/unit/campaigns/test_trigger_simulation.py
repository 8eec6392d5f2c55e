"""The simulation of triggers holds, and notices a lane that breaks its protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
import structlog

from segue.triggers import first_start, ledger, take_over_ledger, trigger_lane
from segue.triggers.lane_transaction import Transaction
from segue.triggers.ledger import Place
from segue.triggers.trigger_lane import TriggerLane
from tests.campaigns.trigger_simulation.actors import CrashingLog, SlowPost
from tests.campaigns.trigger_simulation.run_series import run_series

SERIES = 60


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    structlog.configure(processors=[_drop])
    yield
    structlog.reset_defaults()


def _drop(_logger: Any, _name: str, _event: Any) -> Any:
    raise structlog.DropEvent


def test_every_promise_holds_in_random_series() -> None:
    happened = sum((run_series(seed) for seed in range(SERIES)), start=Counter[str]())
    for what in ("crashed", "taken over", "fenced", "webhooks", "repeats"):
        assert happened[what] > 20, happened


def _commits_too_early(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(trigger_lane, "finished", list)


def _does_not_fence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        CrashingLog, "fence", lambda self: setattr(self, "_epoch", self._kafka.epochs.setdefault(0, 1))
    )


def _keeps_dead_letters_of_erased_users(patch: pytest.MonkeyPatch) -> None:
    settle = Transaction.settle

    def keeps_letters(self: Transaction, pending: Any) -> None:
        settle(self, pending)
        for key in [key for key, letter in self._letters.items() if letter.value is None]:
            del self._letters[key]

    patch.setattr(Transaction, "settle", keeps_letters)


def _posts_without_order(patch: pytest.MonkeyPatch) -> None:
    send = SlowPost.send

    def first(self: SlowPost, trigger: str, change: Any, number: int) -> None:
        send(self, trigger, change, number)
        self._waiting[trigger, change.user_id].rotate(1)

    patch.setattr(SlowPost, "send", first)


def _decides_again_with_another_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TriggerLane, "_decided_at", lambda self, record: None)


def _posts_before_the_time_is_committed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TriggerLane, "_commit_times", lambda self: None)


def _forgets_what_came_while_it_read_the_states(patch: pytest.MonkeyPatch) -> None:
    begin = first_start.write_users

    def first_end(kafka: Any, topics: Any, *rest: Any) -> int:
        end: int = kafka.watch(topics.changes).end
        begin(kafka, topics, *rest)
        return end

    patch.setattr(take_over_ledger, "write_users", first_end)


def _counts_dead_letters_as_sent(patch: pytest.MonkeyPatch) -> None:
    encode = ledger.encode

    def miscounted(value: Any) -> bytes:
        if isinstance(value, Place):
            counts = {name: dict(found) for name, found in value.counts.items()}
            for found in counts.values():
                found["sent"] = found.get("sent", 0) + found.pop("dead_letter", 0)
            value = msgspec.structs.replace(value, counts=counts)
        return encode(value)

    patch.setattr(ledger, "encode", miscounted)


@pytest.mark.parametrize(
    "broken",
    [
        _commits_too_early,
        _does_not_fence,
        _keeps_dead_letters_of_erased_users,
        _posts_without_order,
        _decides_again_with_another_time,
        _posts_before_the_time_is_committed,
        _forgets_what_came_while_it_read_the_states,
        _counts_dead_letters_as_sent,
    ],
)
def test_a_broken_lane_is_noticed(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    with pytest.raises((AssertionError, IndexError)):  # an end that nobody waits for is an IndexError
        sum((run_series(seed) for seed in range(SERIES)), start=Counter[str]())
