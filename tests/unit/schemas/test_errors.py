import pytest

from schemas import errors


def test_a_bad_event_names_the_path() -> None:
    bad = errors.BadEvent("items[2].price", "true is not a number")
    assert str(bad) == "items[2].price: true is not a number"
    assert (bad.path, bad.problem) == ("items[2].price", "true is not a number")
    assert str(errors.BadEvent("", "the value is null")) == "the value is null"


def test_a_bad_setting_names_the_setting_the_value_and_the_fix() -> None:
    bad = errors.BadSetting("k", 1, "use at least 2 segments")
    assert str(bad) == "setting k is 1: use at least 2 segments"
    assert (bad.name, bad.value, bad.fix) == ("k", 1, "use at least 2 segments")


@pytest.mark.parametrize("error", errors.SegueError.__subclasses__())
def test_every_error_has_an_exit_code_that_means_failure(error: type[errors.SegueError]) -> None:
    assert 1 <= error.exit_code < 64 or error.exit_code == 74  # a full disk, whichever part finds it


def test_a_long_value_of_a_setting_is_cut() -> None:
    told = str(errors.BadSetting("table", {"orders": "select 1" * 100}, "did you mean tables?"))
    assert told.startswith("setting table is {'orders': 'select 1")
    assert told.endswith("…: did you mean tables?")
    assert len(told) < 250
