from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import BadSetting
from segue.subscribe.change_filter import Known
from segue.subscribe.reader_memory import Reached, ReaderMemory

ABOUT = {"topic": "segment-changes (a)", "provisional": "False"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "memory.db"


def test_only_what_was_saved_lasts(file: Path) -> None:
    memory = ReaderMemory(file, ABOUT)
    memory.reach(0, Reached(7, states_due=True))
    memory.learn(0, "España", Known("ab", 3))
    memory.learn(0, "8", Known("cd", None))
    memory.save()
    memory.reach(0, Reached(9))
    memory.learn(0, "8", None)
    memory.close()

    memory = ReaderMemory(file, ABOUT)
    assert memory.reached(0) == Reached(7, states_due=True)
    assert memory.reached(1) is None
    assert memory.known(0, "España") == Known("ab", 3)
    assert memory.known(0, "8") == Known("cd", None)
    memory.close()


@pytest.mark.parametrize(
    ("known", "committed", "gone_on"),
    [
        (Reached(5), Reached(6), True),
        (Reached(5), Reached(5), False),
        (Reached(6), Reached(5), False),
        (Reached(5, states_due=True), Reached(5), True),  # another reader had the states
        (Reached(5), Reached(5, states_due=True), False),
        (Reached(5, states_due=True), Reached(5, states_due=True), False),
        (Reached(6, states_due=True), Reached(5), False),
    ],
)
def test_whether_another_reader_has_gone_on(known: Reached, committed: Reached, gone_on: bool) -> None:
    assert known.is_behind(committed) == gone_on


def test_a_partition_that_another_reader_went_on_with_is_forgotten() -> None:
    memory = ReaderMemory(None, ABOUT)
    memory.learn(0, "7", Known("ab", 3))
    memory.learn(1, "8", Known("cd", 3))
    memory.forget(0)
    assert memory.known(0, "7") is None
    assert memory.known(1, "8") == Known("cd", 3)
    memory.close()


def test_an_erased_user_leaves_nothing_in_the_file(file: Path) -> None:
    memory = ReaderMemory(file, ABOUT)
    memory.learn(0, "ada@example.com", Known("ab", 3))
    memory.save()
    memory.learn(0, "ada@example.com", None)
    memory.save()
    memory.close()
    assert b"ada@example.com" not in file.read_bytes()


def test_a_file_of_another_topic_is_refused(file: Path) -> None:
    ReaderMemory(file, ABOUT).close()
    with pytest.raises(
        BadSetting, match=r"belongs to topic segment-changes \(a\), and topic is .* name another"
    ):
        ReaderMemory(file, {**ABOUT, "topic": "segment-changes (b)"})


def test_a_file_that_another_process_uses_is_refused(file: Path) -> None:
    memory = ReaderMemory(file, ABOUT)
    memory.reach(0, Reached(1))
    memory.save()
    with pytest.raises(BadSetting, match="database is locked"):
        ReaderMemory(file, ABOUT)
    memory.close()


def test_a_file_that_is_no_database_is_refused(file: Path) -> None:
    file.write_text("my notes, which are no database of SQLite at all")
    with pytest.raises(BadSetting, match=r"setting memory is .*not a database"):
        ReaderMemory(file, ABOUT)


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"none/memory\.db"):
        ReaderMemory(tmp_path / "none" / "memory.db", ABOUT)
