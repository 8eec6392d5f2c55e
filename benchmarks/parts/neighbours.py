"""Measures the search for the five most similar users: the index of angles against a full scan."""

import itertools

import numpy as np
from sklearn.metrics.pairwise import cosine_similarity

from benchmarks.parts.measure import Comparison, compare, seconds_each
from streamer.segment.neighbours import AngleIndex, angle

TOP = 5


def among(users: int, scans: int) -> Comparison:
    """Search among ``users`` users in random directions; ``scans`` is the number of full scans."""
    positions = np.random.default_rng(7).normal(size=(users, 2))
    angles = [angle((float(x), float(y))) for x, y in positions]
    index = AngleIndex()
    for at, user in sorted((at, user) for user, at in enumerate(angles) if at is not None):
        index.put(str(user), at)
    wanted = itertools.cycle(range(1_000))

    def by_index() -> object:
        user = next(wanted)
        at = angles[user]
        assert at is not None
        return index.nearest(at, TOP, {str(user)})

    def by_scan() -> object:
        similarities = cosine_similarity(positions[[next(wanted)]], positions)[0]
        return np.argpartition(-similarities, TOP + 1)[: TOP + 1]

    return compare(
        f"the {TOP} most similar of {users:,} users",
        ("streamer.segment.neighbours.AngleIndex", lambda: seconds_each(by_index, 1_000)),
        ("cosine_similarity with all of them", lambda: seconds_each(by_scan, scans)),
    )
