"""The judge of the campaign of triggers notices each broken promise."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from schemas.outputs.segment_change import SegmentChange
from segue.triggers import ledger_records as ledger
from segue.triggers.ledger_records import Place
from segue.triggers.policy import Entry
from tests.campaigns.triggers.judge import check, check_retry
from tests.campaigns.triggers.moves import AT, Expected, moves
from tests.support.checks.whole_ledger import WholeLedger


class Found:
    """What a campaign without any fault leaves behind."""

    def __init__(self) -> None:
        self.expected, self.ledger = Expected(), WholeLedger()
        self.changes = list(moves(7, 600, 10, self.expected))
        everything = sorted((w for ws in self.expected.webhooks.values() for w in ws), key=self._number)
        self.received = [name for name in everything if name[0] != "0"]
        counts = {}
        for trigger, webhooks in self.expected.webhooks.items():
            dead = sum(name[0] == "0" for name in webhooks)
            others = self.expected.others[trigger]
            sent, other = len(webhooks) - dead, len(self.changes) - len(webhooks) - others.total()
            counts[trigger] = {"sent": sent, "dead_letter": dead, "skipped: other": other, **others}
        self.places = [Place("g", "t", 600, len(self.changes), counts)]
        for (trigger, user), times in self.expected.times.items():
            entry = Entry("e", AT, AT, times, "sent")
            self.ledger.take(ledger.entry_key(trigger, user), ledger.encode(entry))

    @staticmethod
    def _number(name: str) -> int:
        return int(name[1:16], 16)

    def check(self) -> None:
        check(self.expected, self.ledger, self.places, self.received)


def _loses(found: Found) -> None:
    found.received.pop(5)


def _invents(found: Found) -> None:
    found.received.append("f" * 32 + "-enters")


def _disorders(found: Found) -> None:
    found.received.reverse()


def _counts_wrongly(found: Found) -> None:
    counts = {name: dict(each) for name, each in found.places[0].counts.items()}
    counts["enters"]["sent"] += 1
    counts["enters"]["skipped: other"] -= 1
    found.places = [Place("g", "t", 600, 600, counts)]


def _sends_to_the_held_out(found: Found) -> None:
    counts = {name: dict(each) for name, each in found.places[0].counts.items()}
    counts["once"]["held_out"] -= 1
    counts["once"]["skipped: other"] += 1
    found.places = [Place("g", "t", 600, 600, counts)]


def _forgets_a_change(found: Found) -> None:
    found.places = [Place("g", "t", 600, 599, found.places[0].counts)]


def _keeps_an_erased_user(found: Found) -> None:
    user = next(c.user_id for c in found.changes if not isinstance(c, SegmentChange))
    entry = Entry("e", AT, AT, 99, "sent")
    found.ledger.take(ledger.entry_key("enters", user), ledger.encode(entry))


def test_a_campaign_without_a_fault_passes_and_repeats_are_allowed() -> None:
    found = Found()
    found.check()
    found.received.append(found.received[0])
    found.check()


def test_a_retry_sends_the_dead_letters_of_living_users() -> None:
    expected = Found().expected
    refused = {name for webhooks in expected.webhooks.values() for name in webhooks if name[0] == "0"}
    living = {name for names in expected.refused.values() for name in names}
    assert set() < living < refused
    check_retry(expected, living, f"{len(living)} of {len(living)} dead letters sent.")
    for came in (set(), refused, living - {min(living)}):
        with pytest.raises(AssertionError):
            check_retry(expected, came, f"{len(came)} of {len(came)} dead letters sent.")


@pytest.mark.parametrize(
    "broken",
    [
        _loses,
        _invents,
        _disorders,
        _counts_wrongly,
        _sends_to_the_held_out,
        _forgets_a_change,
        _keeps_an_erased_user,
    ],
)
def test_a_broken_promise_is_noticed(broken: Callable[[Found], None]) -> None:
    found = Found()
    broken(found)
    with pytest.raises(AssertionError):
        found.check()
