"""All ways in turn, round after round, so that a machine that slows down slows all ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from benchmarks.rounds.fill_shop import fill_shop
from benchmarks.rounds.known_ways import PARTITIONS, Way
from benchmarks.rounds.measure_run import Figures, Site, measure_run
from benchmarks.rounds.run_program import WayFailed
from benchmarks.stage.bench_servers import Servers
from benchmarks.stage.bench_topics import drop_topics, empty_redis, make_topics
from benchmarks.stage.read_results import Results, read_results
from benchmarks.stage.server_account import redis_bytes
from benchmarks.stage.shop_events import Line, from_empty, past_of, steady
from schemas.release.model_release import ModelRelease
from schemas.topics import Topics

Say = Callable[[str], None]


@dataclass(slots=True)
class Taken:
    """What one way did over all rounds of one input.

    Attributes:
        figures: one for each round.
        results: the users' segments at the end.
        events: how many events it took in a round.
        redis_bytes: the memory of Redis for each user of the steady shop; 0 for the other input.
        failed: why the way ended early; None if it did not.
    """

    figures: list[Figures] = field(default_factory=list)
    results: Results = field(default_factory=Results)
    events: int = 0
    redis_bytes: float = 0.0
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class Rounds:
    """Takes the rounds.

    Attributes:
        servers: Kafka and Redis.
        release: the release that decides.
        folder: for the programs' files.
        say: called before each round.
    """

    servers: Servers
    release: ModelRelease
    folder: Path
    say: Say

    def from_empty(self, ways: Sequence[Way], events: int, runs: int) -> dict[str, Taken]:
        """The input *from empty*: each run begins without users."""
        lines = from_empty(events)
        taken = {way.name: Taken() for way in ways}
        for number in range(runs):
            for way in ways:
                self.say(f"from empty, round {number + 1} of {runs}: {way.name}")
                empty_redis(self.servers)
                taken[way.name].results = Results()
                site = self._site(f"empty-{number}", way)
                self._guarded(way, taken[way.name], partial(self._run, way, site, lines))
        return taken

    def steady(self, ways: Sequence[Way], events: int, runs: int, users: int) -> dict[str, Taken]:
        """The input *steady*: all users are known before the first run."""
        past = past_of(users)
        taken = {way.name: Taken() for way in ways}
        sites = {way.name: self._site("steady", way) for way in ways}
        for way in ways:
            self.say(f"steady, {users:,} users for: {way.name}")
            self._guarded(way, taken[way.name], partial(self._fill, way, sites[way.name], past, users))
        for number in range(runs):
            lines = steady(events, number, users)
            for way in ways:
                self.say(f"steady, round {number + 1} of {runs}: {way.name}")
                site = sites[way.name]
                if way.keeps == "bare":
                    site = replace(site, topic_prefix=f"{site.topic_prefix}{number}-")
                self._guarded(way, taken[way.name], partial(self._run, way, site, lines))
        return taken

    def _guarded(self, way: Way, taken: Taken, do: Callable[[Taken], None]) -> None:
        """Do it, unless the way has failed before. Without Segue or its limit there is nothing to compare."""
        if taken.failed is not None:
            return
        try:
            do(taken)
        except WayFailed as error:
            if way.package is None:
                raise
            taken.failed = str(error)

    def _site(self, name: str, way: Way) -> Site:
        key = "".join(letter if letter.isalnum() else "-" for letter in f"{name}-{way.name}".lower())
        folder = self.folder / key
        folder.mkdir()
        return Site(f"{key}.", f"{key}:", folder)

    def _fill(self, way: Way, site: Site, past: Sequence[Line], users: int, taken: Taken) -> None:
        before = redis_bytes(self.servers)
        if way.keeps == "own":
            make_topics(self.servers, Topics(site.topic_prefix), PARTITIONS, self.release)
        taken.results.segments |= fill_shop(self.servers, way, site, past)
        taken.redis_bytes = (redis_bytes(self.servers) - before) / users

    def _run(self, way: Way, site: Site, lines: Sequence[Line], taken: Taken) -> None:
        topics = Topics(site.topic_prefix)
        stays = way.keeps == "own" and taken.redis_bytes > 0
        if not stays:
            make_topics(self.servers, topics, PARTITIONS, self.release)
        mine = lines[: max(1, round(len(lines) * way.fraction))]
        taken.figures.append(measure_run(self.servers, way, site, mine))
        taken.events = len(mine)
        if stays:
            taken.results = Results()  # the topic holds the changes of all rounds
        read_results(self.servers, topics.users, PARTITIONS, taken.results)
        if not stays:
            drop_topics(self.servers, topics)
