"""A training window: who trains, what counts, and that a release can be made again later."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.errors import BadSetting
from tests.support.inputs.shops import Shop, write_csv
from tests.support.worlds.trained_shops import CREATED_AT
from trainer.release.release_folder import load_release
from trainer.steps.fit_settings import FitSettings
from trainer.steps.training_window import EVERYTHING, Window
from trainer.train import train
from trainer.warehouse import open_warehouse


def at(month: int) -> datetime:
    return datetime(2024, month, 1, tzinfo=UTC)


def test_facts_count_up_to_the_end_unless_said_otherwise() -> None:
    assert Window.between(at(1), at(3), None) == Window(at(3), at(1), at(3))
    assert Window.between(at(1), at(3), at(5)) == Window(at(5), at(1), at(3))
    assert Window.between(at(1), None, None) == Window(None, at(1), None)
    assert Window.between(None, None, None) == EVERYTHING
    assert Window.between(at(3), None, at(3)) == Window(at(3), at(3), None)


@pytest.mark.parametrize(
    ("start", "end", "as_of", "told"),
    [
        (at(3), at(3), None, "setting to is '2024-03-01': give a time after from, which is 2024-03-01"),
        (
            None,
            at(4),
            at(3),
            "setting to is '2024-04-01': only facts before as_of count, which is 2024-03-01:",
        ),
        (at(4), None, at(3), "setting from is '2024-04-01': only facts before as_of count, which is 2024-"),
    ],
)
def test_a_window_that_nobody_can_be_in(
    start: datetime | None, end: datetime | None, as_of: datetime | None, told: str
) -> None:
    with pytest.raises(BadSetting) as caught:
        Window.between(start, end, as_of)
    assert str(caught.value).startswith(told)


def shop(days: range) -> Shop:
    """Sixty users; each orders every sixth day, by turns."""
    made = Shop()
    for number in range(60):
        made.user(
            f"u{number}",
            age=str(18 + number % 50),
            gender="FM"[number % 2],
            country=("Brasil", "China", "Spain")[number % 3],
            traffic_source=("Search", "Email")[number % 2],
        )
        for before in range(number % 4):
            made.order(f"before{number}-{before}", f"u{number}", created_at="2023-12-01")
    for day in days:
        for number in range(day % 6, 60, 6):
            made.order(
                f"o{number}-{day}", f"u{number}", [f"Brand {day % 5}/Kind {number % 7}"], f"2024-01-{day:02}"
            )
    return made


def a_release(out: Path, tables: Path, window: Window) -> Path:
    with open_warehouse(tables) as warehouse:
        return train(warehouse, FitSettings(k=3, k_min=3, k_max=3), out, window=window, created_at=CREATED_AT)


def test_the_same_window_later_gives_the_same_bytes(tmp_path: Path) -> None:
    day = [datetime(2024, 1, 1 + n, tzinfo=UTC) for n in range(31)]
    window = Window.between(day[3], day[6], day[9])
    early, late = shop(range(1, 12)), shop(range(1, 28))
    late.user("new", "2024-01-20").order("new", "new", created_at="2024-01-21")
    # The facts of the window are the same, in another order.
    late.orders.reverse()
    late.users.reverse()

    first = a_release(tmp_path / "first", write_csv(early, tmp_path / "early"), window)
    again = a_release(tmp_path / "again", write_csv(late, tmp_path / "late"), window)

    assert first.name == again.name
    for file in sorted(first.iterdir()):
        assert file.read_bytes() == (again / file.name).read_bytes(), file.name
    training = load_release(first).training
    assert (training.start, training.end, training.as_of) == (
        "2024-01-04T00:00:00Z",
        "2024-01-07T00:00:00Z",
        "2024-01-10T00:00:00Z",
    )
    # Days 4, 5 and 6 of January, and ten users a day.
    assert training.users_read == training.users_used == 30
    other = a_release(tmp_path / "other", tmp_path / "late", Window.between(day[3], day[7], day[9]))
    assert load_release(other).training.users_used == 40
