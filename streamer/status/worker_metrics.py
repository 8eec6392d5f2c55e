"""What Prometheus reads of a worker: counts as the lanes tell them, gauges as they are when it asks."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from streamer.status.worker_status import PHASES, StatusSource, WorkerStatus

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LATENCY_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)


class Metrics:
    """One worker's metrics, in a registry of its own. Any thread may call."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        registry = self._registry
        self._events = Counter("segue_events", "Events applied.", ["topic"], registry=registry)
        self._changes = Counter("segue_changes", "Segment changes committed.", ["kind"], registry=registry)
        self._dead = Counter(
            "segue_dead_letters",
            "Inputs that could not be applied, by the topic they came on.",
            ["topic"],
            registry=registry,
        )
        self._rekeyed = Counter(
            "segue_rekeyed",
            "Events on another partition than their user's, handed over to the lane that is.",
            registry=registry,
        )
        self._unknown = Counter(
            "segue_unknown_erasures",
            "Erasures of users of whom nothing was known. They stand, since a user's facts may come later.",
            registry=registry,
        )
        self._swept = Counter(
            "segue_swept_users", "Users whom a newer release decided anew.", registry=registry
        )
        self._takeovers = Counter(
            "segue_takeovers", "Times that this worker took a lane over.", ["lane"], registry=registry
        )
        self._batch_records = Histogram(
            "segue_batch_records", "Records in one transaction.", buckets=_RECORDS, registry=registry
        )
        self._batch_seconds = Histogram(
            "segue_batch_seconds",
            "One batch, from its records to its save.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._step_seconds = Histogram(
            "segue_step_seconds",
            "One step of a batch: load, decide, commit, save.",
            ["step"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._latency = Histogram(
            "segue_latency_seconds",
            "From an event's record time to the commit of what it changed.",
            buckets=_LATENCY_SECONDS,
            registry=registry,
        )

    def batch(
        self,
        *,
        events: Mapping[str, int],
        dead_letters: Mapping[str, int],
        rekeyed: int,
        unknown: int,
        changes: Mapping[str, int],
        seconds: Mapping[str, float],
        latencies_s: Iterable[float],
    ) -> None:
        """A batch was committed and saved.

        Args:
            events: how many were applied, by topic.
            dead_letters: how many were not, by the topic they came on.
            rekeyed: how many were handed over to another lane.
            unknown: how many of the events were erasures of users of whom nothing was known.
            changes: how many were committed, by kind.
            seconds: how long each step took, by its name.
            latencies_s: for each event, from its record's time to the commit.
        """
        for counter, counts in ((self._events, events), (self._dead, dead_letters), (self._changes, changes)):
            self._count(counter, counts)
        self._rekeyed.inc(rekeyed)
        self._unknown.inc(unknown)
        self._batch_records.observe(sum(events.values()) + sum(dead_letters.values()) + rekeyed)
        self._batch_seconds.observe(sum(seconds.values()))
        for step, taken in seconds.items():
            self._step_seconds.labels(step).observe(taken)
        for latency in latencies_s:
            # Clocks of two machines differ; an event is never from the future.
            self._latency.observe(max(0.0, latency))

    def swept(self, users: int, changes: Mapping[str, int]) -> None:
        """So many users were decided anew, with these changes by kind."""
        self._swept.inc(users)
        self._count(self._changes, changes)

    def takeover(self, partition: int) -> None:
        """This worker begins to take a lane over."""
        self._takeovers.labels(str(partition)).inc()

    def _count(self, counter: Counter, by_label: Mapping[str, int]) -> None:
        for label, count in by_label.items():
            counter.labels(label).inc(count)

    def watch(self, source: StatusSource) -> None:
        """Show this worker's lanes and release, too; each time that Prometheus asks."""
        self._registry.register(_StatusCollector(source))

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format 0.0.4."""
        return generate_latest(self._registry)


class _StatusCollector(Collector):
    """Gauges made from the status at the moment of the scrape: a closed lane leaves nothing behind."""

    def __init__(self, source: StatusSource) -> None:
        self._source = source

    def describe(self) -> Iterator[Metric]:
        """Empty: registering asks nobody."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        status = self._source.status()
        yield from _lanes(status)
        yield from _release(status)


def _lanes(status: WorkerStatus) -> Iterator[Metric]:
    lag = GaugeMetricFamily("segue_lane_lag", "Records not yet read.", labels=["lane", "topic"])
    left = GaugeMetricFamily(
        "segue_lane_sweep_left", "Users whom a newer release has still to decide anew.", labels=["lane"]
    )
    activation = GaugeMetricFamily(
        "segue_lane_activation", "The activation that decides in the lane.", labels=["lane"]
    )
    phase = GaugeMetricFamily("segue_lane_phase", "1 for the phase of the lane.", labels=["lane", "phase"])
    for lane in status.lanes:
        for topic, records in lane.lag.items():
            lag.add_metric([str(lane.partition), topic], records)
        for name in PHASES:
            phase.add_metric([str(lane.partition), name], float(lane.phase == name))
        left.add_metric([str(lane.partition)], lane.sweep_left)
        if lane.activation is not None:
            activation.add_metric([str(lane.partition)], lane.activation)
    yield lag
    yield left
    yield activation
    yield phase
    owned = len(status.group.owned)
    yield GaugeMetricFamily("segue_lanes_owned", "Lanes that the group gave this worker.", value=owned)


def _release(status: WorkerStatus) -> Iterator[Metric]:
    if status.release.version is None or status.release.activation is None:
        return
    yield GaugeMetricFamily(
        "segue_release_activation",
        "The activation in use: the offset of its record in segment-models.",
        value=status.release.activation,
    )
    yield InfoMetricFamily("segue_release", "The release in use.", value={"version": status.release.version})
