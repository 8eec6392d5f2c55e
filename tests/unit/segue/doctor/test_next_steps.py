"""The next commands that the doctor names to a newcomer, in order."""

from __future__ import annotations

import pytest

from segue.doctor.check import FAIL, OK, WARN, Check
from segue.doctor.next_steps import next_steps

KAFKA, RIGHTS = Check("kafka", OK, ""), Check("redis rights", OK, "")
NO_TOPICS, TOPICS = Check("topics", FAIL, "none"), Check("topics", OK, "")
NO_WORKER, WORKER = Check("group", WARN, "0 workers"), Check("group", OK, "1 worker")
NO_PLACE, PLACE = Check("place 0", WARN, "none", "a worker makes it"), Check("place 0", OK, "")

EVERYTHING = ["segue train", "segue publish", "segue bootstrap", "segue worker"]


@pytest.mark.parametrize(
    ("checks", "released", "steps"),
    [
        ([KAFKA, NO_TOPICS, RIGHTS], False, EVERYTHING),
        ([KAFKA, NO_TOPICS, RIGHTS], True, EVERYTHING[2:]),
        ([KAFKA, TOPICS, NO_WORKER, RIGHTS, NO_PLACE], True, EVERYTHING[2:]),
        ([KAFKA, TOPICS, WORKER, RIGHTS, PLACE], False, EVERYTHING[:2]),
        # One step alone is what its own line says.
        ([KAFKA, TOPICS, NO_WORKER, RIGHTS, PLACE], True, []),
        ([KAFKA, TOPICS, WORKER, RIGHTS, PLACE], True, []),
        # First the servers.
        ([Check("kafka", FAIL, "gone"), RIGHTS], False, []),
        ([KAFKA, NO_TOPICS, Check("redis", FAIL, "gone")], False, []),
    ],
)
def test_the_steps_that_are_left_in_their_order(
    checks: list[Check], released: bool, steps: list[str]
) -> None:
    told = [
        " ".join(step.split()[:2])
        for check in next_steps(checks, released=released)
        for step in str(check.fix).split("; ")
    ]

    assert told == steps
