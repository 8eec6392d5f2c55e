from __future__ import annotations

from segue.services.process.wait_until import wait_until


def test_it_asks_until_the_condition_holds() -> None:
    answers = iter([False, False, True])
    assert wait_until(lambda: next(answers), deadline_s=60, every_s=0)
    assert list(answers) == []


def test_past_the_deadline_the_last_answer_counts() -> None:
    answers = iter([False])
    assert not wait_until(lambda: next(answers), deadline_s=0)
    assert list(answers) == []
