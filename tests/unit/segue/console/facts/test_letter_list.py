from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from segue.console.facts.letter_list import KEPT, MOST_BYTES, newest_letters
from segue.events.dead_letter_topic import Selection
from tests.support.worlds.made_up_console import COUNTED_AT, a_letter


def test_the_newest_letters_are_kept_and_all_are_counted() -> None:
    letters = [
        replace(a_letter(f"0:{number}"), refused_at=COUNTED_AT + timedelta(seconds=number))
        for number in range(KEPT + 5)
    ]
    found = newest_letters(letters, COUNTED_AT)
    assert found.count == KEPT + 5
    assert [found.letters[place].place for place in (0, -1)] == [f"0:{KEPT + 4}", "0:5"]


def test_long_values_are_cut_between_characters() -> None:
    long = replace(a_letter(), value=("é" * MOST_BYTES + "x").encode(), key=b"\xff" * 2 * MOST_BYTES)
    (letter,) = newest_letters([long, a_letter()], COUNTED_AT).chosen(Selection(places=frozenset(["0:8"])))[
        :1
    ]
    assert letter.value == ("é" * (MOST_BYTES // 2)).encode()
    assert letter.key == b"\xff" * MOST_BYTES
