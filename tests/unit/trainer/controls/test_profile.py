"""The profile in a release has the training users by bin."""

import pyarrow as pa

from schemas.release.stability_index import BINS, psi
from trainer.controls.profile import profile_of


def test_a_text_has_a_bin_for_each_frequent_value_and_one_for_the_rest() -> None:
    (few,) = profile_of(pa.table({"f": ["b", "a", "b"]}), ["f"])
    assert (few.values, few.counts, few.ends) == (("b", "a"), (2, 1, 0), ())
    many = [f"v{number:03}" for number in range(30) for _ in range(30 - number)]
    (profile,) = profile_of(pa.table({"f": many}), ["f"])
    assert len(profile.counts) == BINS
    assert profile.values[0] == "v000"
    assert profile.counts[0] == 30
    assert sum(profile.counts) == len(many)


def test_a_number_has_ranges_that_end_with_numbers_that_occur() -> None:
    (profile,) = profile_of(pa.table({"f": [1] * 60 + [2] * 30 + [3] * 10}), ["f"])
    assert (profile.ends, profile.counts, profile.values) == ((1.0, 2.0), (60, 30, 10), ())
    (constant,) = profile_of(pa.table({"f": [7, 7]}), ["f"])
    assert (constant.ends, constant.counts) == ((), (2,))


def test_the_index_of_chance_is_above_a_usual_sample_and_below_a_shift() -> None:
    ages = [20 + number % 40 for number in range(8_000)]
    (profile,) = profile_of(pa.table({"f": ages}), ["f"])
    halved = [count // 2 for count in profile.counts]
    assert psi(profile.counts, halved) < profile.chance < 0.02
    assert psi(profile.counts, [0] * 5 + halved[5:]) > 0.5
