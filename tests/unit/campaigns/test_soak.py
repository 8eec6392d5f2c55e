"""The verdict of `make soak`: what grows is found, whatever else sways; what only sways is not."""

from collections.abc import Callable, Sequence
from random import Random

import pytest

from tests.campaigns.soak.gauges import Reading
from tests.campaigns.soak.judge import growth, judge, slope

RATE = 957.0
HOUR_S, SHORT_S = 3_600.0, 300.0
LOOKS, WARM_LOOKS = 60, 12
SEEDS = range(5)

Change = Callable[[float], dict[str, float]]
"""What is to be added to the gauges after so many seconds."""


def swaying(seed: int, seconds: float, change: Change = lambda _: {}) -> list[Reading]:
    """Looks after the warm-up as they were seen where nothing grows, with what the change adds."""
    random = Random(seed)
    looks = []
    for look in range(WARM_LOOKS, LOOKS):
        at_s = (look + 1) * seconds / LOOKS
        added = {"rss_mb": 0.0, "handles": 0.0, "lag": 0.0, "other_keys": 0.0, **change(at_s)}
        lag = random.choice((0, random.randrange(100), random.randrange(505)))
        looks.append(
            Reading(
                at_s,
                162 + random.uniform(-1.5, 1.5) + added["rss_mb"],
                119 + random.choice((0, 0, 0, 1)) + round(added["handles"]),
                lag + round(added["lag"]),
                2_009 + round(added["other_keys"]),
                2_000,
            )
        )
    return looks


def grows(gauge: str, by: float, seconds: float) -> Change:
    """So much over the whole run, warm-up included."""
    return lambda at_s: {gauge: by * at_s / seconds}


def between(gauge: str, by: float, since_s: float, until_s: float) -> Change:
    return lambda at_s: {gauge: by if since_s <= at_s < until_s else 0.0}


@pytest.mark.parametrize("seconds", [HOUR_S, SHORT_S, 120.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_what_only_sways_is_no_growth(seed: int, seconds: float) -> None:
    assert judge(RATE, swaying(seed, seconds)).rate == RATE


@pytest.mark.parametrize(
    ("seconds", "what", "change"),
    [
        pytest.param(HOUR_S, "memory", grows("rss_mb", 14, HOUR_S), id="14 MB in an hour"),
        pytest.param(SHORT_S, "memory", grows("rss_mb", 146 / 12, SHORT_S), id="146 MB an hour"),
        pytest.param(SHORT_S, "memory", between("rss_mb", 12, 200, SHORT_S), id="12 MB that stay"),
        pytest.param(HOUR_S, "file handles", grows("handles", 8, HOUR_S), id="a handle every 7 minutes"),
        pytest.param(SHORT_S, "file handles", grows("handles", 8, SHORT_S), id="8 handles in 5 minutes"),
        pytest.param(HOUR_S, "keys beyond users", grows("other_keys", 2, HOUR_S), id="2 keys in an hour"),
        pytest.param(SHORT_S, "keys beyond users", grows("other_keys", 2, SHORT_S), id="2 keys in 5 minutes"),
        pytest.param(HOUR_S, "the lag", grows("lag", 47_000, HOUR_S), id="a lag of 47,000"),
        pytest.param(SHORT_S, "the lag", grows("lag", 0.02 * RATE * SHORT_S, SHORT_S), id="98% of the load"),
        pytest.param(
            SHORT_S, "the lag", lambda at_s: {"lag": RATE * max(0.0, at_s - 240)}, id="a worker that stops"
        ),
    ],
)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_grows_is_found(seed: int, seconds: float, what: str, change: Change) -> None:
    with pytest.raises(AssertionError, match=rf"^{what}.*: grew by"):
        judge(RATE, swaying(seed, seconds, change))


def test_a_lag_that_falls_to_nothing_now_and_then_still_grows() -> None:
    looks = swaying(1, HOUR_S, lambda at_s: {"lag": 0 if at_s % 300 == 0 else 47_000 * at_s / HOUR_S})
    with pytest.raises(AssertionError, match="the lag"):
        judge(RATE, looks)


def test_events_that_wait_all_the_time_are_found_though_they_grow_no_more() -> None:
    with pytest.raises(AssertionError, match=r"in the end .* events wait"):
        judge(RATE, swaying(1, SHORT_S, lambda _: {"lag": 20_000}))


@pytest.mark.parametrize("since_s", [70, 150, 280])
@pytest.mark.parametrize(
    ("gauge", "by"), [("rss_mb", 300), ("handles", 40), ("lag", 30_000), ("other_keys", 1)]
)
def test_a_spike_is_no_growth(gauge: str, by: float, since_s: float) -> None:
    judge(RATE, swaying(1, SHORT_S, between(gauge, by, since_s, since_s + 20)))


def test_what_falls_is_no_growth() -> None:
    changes = (grows("rss_mb", -30, HOUR_S), grows("handles", -20, HOUR_S), grows("other_keys", -3, HOUR_S))
    for change in changes:
        judge(RATE, swaying(1, HOUR_S, change))


def test_the_figures_of_an_hour_that_was_well_pass() -> None:
    looks = swaying(1, HOUR_S, grows("rss_mb", -4.2, HOUR_S))
    assert judge(RATE, looks).mb_an_hour == pytest.approx(-4.2, abs=2)


def test_a_few_looks_are_no_verdict() -> None:
    with pytest.raises(AssertionError, match="15 looks are too few"):
        judge(RATE, swaying(1, HOUR_S)[:15])


@pytest.mark.parametrize(
    ("ys", "grown"),
    [
        ([3, 3, 3, 3, 3, 3, 3, 3], 0),
        ([0, 1, 2, 3, 4, 5, 6, 7], 7),  # the slope; the quarters' medians, 6.5 and 0.5, differ by less
        ([0, 0, 0, 0, 0, 0, 8, 8], 8),  # the quarters; of the slopes 15 in 28 are 0
        ([7, 6, 5, 4, 3, 2, 1, 0], -6),
    ],
)
def test_growth_by_hand(ys: Sequence[float], grown: float) -> None:
    assert growth(range(8), ys) == grown


def test_the_slope_is_per_x() -> None:
    assert slope([0, 10, 20, 30], [1, 2, 3, 4]) == pytest.approx(0.1)
