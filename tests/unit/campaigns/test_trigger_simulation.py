"""The simulation of triggers holds, and notices a lane that breaks its protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import structlog

from schemas.errors import NeedsRebuild
from segue.triggers import first_start, ledger, ledger_records, take_over_ledger, trigger_lane
from segue.triggers.lane_transaction import Transaction
from segue.triggers.ledger_records import Place
from segue.triggers.trigger_lane import TriggerLane
from tests.campaigns.trigger_simulation.actors import SlowPost
from tests.campaigns.trigger_simulation.run_series import run_series
from tests.support.worlds.memory_copy import MemoryCopy

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
    befallen = ("lost saves", "emptied", "restarted", "late saves")
    for what in ("crashed", "taken over", "in doubt", "webhooks", "repeats", *befallen):
        assert happened[what] > 20, happened


def _commits_too_early(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(trigger_lane, "finished", list)


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
    encode = ledger_records.encode

    def miscounted(value: Any) -> bytes:
        if isinstance(value, Place):
            counts = {name: dict(found) for name, found in value.counts.items()}
            for found in counts.values():
                found["sent"] = found.get("sent", 0) + found.pop("dead_letter", 0)
            value = msgspec.structs.replace(value, counts=counts)
        return encode(value)

    patch.setattr(ledger_records, "encode", miscounted)


def _trusts_a_copy_that_missed_a_deletion(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger, "_MAY_LAG", timedelta(days=365))


def _goes_on_with_half_a_save(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(MemoryCopy, "is_whole", lambda self: self.file.held.mark is not None)


@pytest.mark.parametrize(
    ("broken", "first"),
    [
        (_commits_too_early, 0),
        (_keeps_dead_letters_of_erased_users, 0),
        (_posts_without_order, 0),
        (_decides_again_with_another_time, 0),
        (_posts_before_the_time_is_committed, 0),
        (_forgets_what_came_while_it_read_the_states, 0),
        (_counts_dead_letters_as_sent, 0),
        (_trusts_a_copy_that_missed_a_deletion, 920),
        (_goes_on_with_half_a_save, 100),
    ],
)
def test_a_broken_lane_is_noticed(
    broken: Callable[[pytest.MonkeyPatch], None], first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``first`` is the first series that brings out a fault that few series do."""
    broken(monkeypatch)
    # An end that nobody waits for is an IndexError; what half a save lacks may be the place.
    with pytest.raises((AssertionError, IndexError, NeedsRebuild)):
        sum((run_series(seed) for seed in range(first, first + SERIES)), start=Counter[str]())
