"""How fast a sweep may go."""

from math import inf

from streamer.lane.sweep_pace import Pace


def test_the_first_batch_is_small() -> None:
    assert Pace(1_000.0, most=1_000).users == 50
    assert Pace(1_000.0, most=7).users == 7
    assert Pace(1.0, most=1_000).users == 1
    assert Pace(20.0, most=1_000).users == 4


def test_a_batch_has_the_users_of_a_fiftieth_of_a_second() -> None:
    pace = Pace(inf, most=1_000)

    def after(seconds: float, users: int | None = None) -> int:
        pace.began(100.0)
        pace.ended(100.0 + seconds, pace.users if users is None else users)
        return pace.users

    assert after(0.001) == 100
    assert after(0.0) == 200
    assert after(0.016) == 250
    assert after(0.050) == 100
    assert after(0.080) == 50
    # Of few users, the transaction takes most of the time.
    assert after(0.001) == 100
    assert after(0.015, 3) == 100
    for _ in range(9):
        after(0.0)
    assert pace.users == 1_000


def test_no_batch_has_more_users_than_a_fifth_of_a_second_allows() -> None:
    pace = Pace(1_000.0, most=1_000)
    for _ in range(9):
        pace.began(100.0)
        pace.ended(100.0, pace.users)
    assert pace.users == 200


def test_the_next_batch_waits_until_the_pace_allows_it() -> None:
    pace = Pace(1_000.0, most=50)
    assert pace.wait_s(100.0) == 0.0
    pace.began(100.0)
    # 50 users at 1,000 a second take 50 ms.
    assert abs(pace.wait_s(100.0) - 0.05) < 1e-9
    assert abs(pace.wait_s(100.03) - 0.02) < 1e-9
    assert pace.wait_s(100.06) == 0.0


def test_time_without_a_batch_is_not_saved_up() -> None:
    pace = Pace(10.0, most=1)
    pace.began(0.0)
    pace.began(1_000.0)
    assert abs(pace.wait_s(1_000.0) - 0.1) < 1e-9


def test_without_a_bound_nothing_waits() -> None:
    pace = Pace(inf, most=10)
    pace.began(5.0)
    assert pace.wait_s(5.0) == 0.0
