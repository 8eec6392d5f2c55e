"""The limit does Segue's work: from the same events it puts every user into the same segment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.rounds.known_ways import PARTITIONS, SEGUE, WAYS
from benchmarks.rounds.measure_run import Site, measure_run
from benchmarks.rounds.write_models import write_models
from benchmarks.stage.bench_servers import Servers
from benchmarks.stage.bench_topics import make_topics
from benchmarks.stage.read_results import Results, read_results
from benchmarks.stage.shop_events import from_empty, steady
from benchmarks.thelook import fitted, release
from schemas.topics import Topics
from segue.services import KafkaService, RedisService


@pytest.mark.wide
def test_both_put_every_user_into_the_same_segment(
    kafka: KafkaService, redis_server: RedisService, topic_prefix: str, redis_prefix: str, tmp_path: Path
) -> None:
    # The servers may be in containers: the CPU of this process stands in for theirs.
    servers = Servers(kafka.bootstrap, redis_server.url, os.getpid(), os.getpid())
    write_models(fitted(), tmp_path)
    lines = [*from_empty(300), *steady(200, 0, users=50)]
    found = {}
    for name in ("limit, 4 lanes", SEGUE):
        way = next(way for way in WAYS if way.name == name)
        part = "limit" if way.module else "segue"
        site = Site(f"{topic_prefix}{part}.", f"{redis_prefix}{part}:", tmp_path / part)
        site.folder.mkdir()
        make_topics(servers, Topics(site.topic_prefix), PARTITIONS, release(fitted()))
        figures = measure_run(servers, way, site, lines)
        results = found[name] = Results()
        read_results(servers, Topics(site.topic_prefix).users, PARTITIONS, results)
        assert figures.each.way_s > 0
        assert figures.each.redis_commands > 1
        assert figures.peak_mb > 20
    limit, ours = found.values()
    assert len(ours.segments) > 200
    assert ours.changes > 300
    assert limit.segments == ours.segments
