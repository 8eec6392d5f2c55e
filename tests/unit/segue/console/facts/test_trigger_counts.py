from segue.console.facts.trigger_counts import TriggerCount, trigger_counts
from segue.triggers.ledger_records import Place
from tests.support.worlds.made_up_console import COUNTED_AT


def test_the_partitions_are_added_up_and_standing_dead_letters_come_beside() -> None:
    places = [
        Place("g", "t", 9, 5, {"welcome": {"sent": 2, "skipped: other": 3}}),
        Place("g", "t", 4, 4, {"welcome": {"sent": 1, "held_out": 1, "dead_letter": 1, "skipped: other": 1}}),
    ]
    found = trigger_counts(places, {"gone": 7}, 2, 6, COUNTED_AT)
    assert (found.changes, found.processes, found.waiting) == (9, 2, 6)
    assert found.triggers == (
        TriggerCount("gone", 0, 0, 7, {}),
        TriggerCount("welcome", 3, 1, 0, {"other": 4}),
    )
