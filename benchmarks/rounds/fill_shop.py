"""Fills the users of a steady shop, before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.bare.bare_change import Input
from benchmarks.bare.bare_events import decode_order, decode_signup
from benchmarks.bare.bare_store import BareStore
from benchmarks.bare.decide_batch import decide_batch
from benchmarks.bare.table_score import TableScorer
from benchmarks.rounds.known_ways import Way
from benchmarks.rounds.measure_run import Site, measure_run
from benchmarks.stage.bench_servers import Servers
from benchmarks.stage.shop_events import Line

_BATCH = 1_000


def fill_shop(servers: Servers, way: Way, site: Site, past: Sequence[Line]) -> dict[str, int]:
    """Give the way all users of the shop.

    A way with a form of its own applies their past from Kafka. For the others Redis is filled directly.

    Returns:
        The users' segments that are in no topic.
    """
    if way.keeps == "own":
        measure_run(servers, way, site, past)
        return {}
    job = site.job(servers, way, len(past))
    scorer = TableScorer(job.read_release())
    names = [segment.name for segment in scorer.release.segments]
    store = BareStore(job.redis, job.redis_prefix, "fill")
    segments: dict[str, int] = {}
    for first in range(0, len(past), _BATCH):
        inputs = [
            Input((decode_order if line.is_order else decode_signup)(line.value), "", 0, 0)
            for line in past[first : first + _BATCH]
        ]
        decided = decide_batch(inputs, store, scorer, "")
        store.save(b"%d" % first, decided.users, decided.changed, names, decided.angles)
        segments |= {k: user.segment for k, user in decided.users.items() if user.segment is not None}
    store.close()
    return segments
