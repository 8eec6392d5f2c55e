from random import Random

from streamer.drift.sample_users import _chosen


def test_all_places_are_chosen_if_there_are_few_and_each_once_at_random_else() -> None:
    assert _chosen([(3, 2), (5, 1)], Random(1), 10) == [(3, 0), (3, 1), (5, 0)]
    assert _chosen([], Random(1), 10) == []
    some = _chosen([(0, 500), (1, 1), (2, 499)], Random(1), 100)
    assert len(set(some)) == 100
    assert all(0 <= rank < {0: 500, 1: 1, 2: 499}[lane] for lane, rank in some)
    assert 30 < sum(lane == 0 for lane, _ in some) < 70
