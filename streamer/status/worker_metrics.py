"""A worker's metrics for Prometheus: counters from the lanes, and gauges from the status at each scrape."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from streamer.status.drift_status import DriftStatus
from streamer.status.worker_status import PHASES, StatusSource, WorkerStatus

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LATENCY_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)


class Metrics:
    """One worker's metrics, in a separate registry. Any thread may call."""

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
            "Events on a wrong partition, forwarded to their user's lane.",
            registry=registry,
        )
        self._passed_over = Counter(
            "segue_passed_over",
            "Records that are no event in the form of their topic, such as page views, by topic.",
            ["topic"],
            registry=registry,
        )
        self._unknown = Counter(
            "segue_unknown_erasures",
            "Erasures of unknown users. They are kept, because a user's facts may come later.",
            registry=registry,
        )
        self._swept = Counter(
            "segue_swept_users", "Users that a newer release decided again.", registry=registry
        )
        self._due = Counter(
            "segue_due_users",
            "Users that were due on a new day, and decided again.",
            registry=registry,
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
            "From an event's record time to the commit of its changes.",
            buckets=_LATENCY_SECONDS,
            registry=registry,
        )

    def batch(
        self,
        *,
        events: Mapping[str, int],
        dead_letters: Mapping[str, int],
        rekeyed: int,
        passed_over: Mapping[str, int],
        unknown: int,
        changes: Mapping[str, int],
        seconds: Mapping[str, float],
        latencies_s: Iterable[float],
    ) -> None:
        """Count a batch that was committed and saved.

        Args:
            events: the number of applied events, by topic.
            dead_letters: the number of dead letters, by the topic that they came on.
            rekeyed: the number of events forwarded to other lanes.
            passed_over: the number of records that are no event, by topic.
            unknown: the number of erasures of unknown users among the events.
            changes: the number of committed changes, by kind.
            seconds: the duration of each step, by its name.
            latencies_s: for each event, the seconds from its record's time to the commit.
        """
        for counter, counts in (
            (self._events, events),
            (self._dead, dead_letters),
            (self._passed_over, passed_over),
            (self._changes, changes),
        ):
            self._count(counter, counts)
        self._rekeyed.inc(rekeyed)
        self._unknown.inc(unknown)
        others = sum(dead_letters.values()) + sum(passed_over.values()) + rekeyed
        self._batch_records.observe(sum(events.values()) + others)
        self._batch_seconds.observe(sum(seconds.values()))
        for step, taken in seconds.items():
            self._step_seconds.labels(step).observe(taken)
        for latency in latencies_s:
            # The clocks of two machines differ, so a latency may seem negative.
            self._latency.observe(max(0.0, latency))

    def swept(self, users: int, changes: Mapping[str, int]) -> None:
        """Count users that a sweep decided again, and their changes by kind."""
        self._swept.inc(users)
        self._count(self._changes, changes)

    def came_due(self, users: int, changes: Mapping[str, int]) -> None:
        """Count users that were due on a new day, and their changes by kind."""
        self._due.inc(users)
        self._count(self._changes, changes)

    def takeover(self, partition: int) -> None:
        """Count a takeover of a lane."""
        self._takeovers.labels(str(partition)).inc()

    def _count(self, counter: Counter, by_label: Mapping[str, int]) -> None:
        for label, count in by_label.items():
            counter.labels(label).inc(count)

    def watch(self, source: StatusSource) -> None:
        """Also show this worker's lanes and release, at each scrape."""
        self._registry.register(_StatusCollector(source))

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format 0.0.4."""
        return generate_latest(self._registry)


class _StatusCollector(Collector):
    """Makes gauges from the status at the moment of the scrape, so a closed lane is not shown."""

    def __init__(self, source: StatusSource) -> None:
        self._source = source

    def describe(self) -> Iterator[Metric]:
        """Return nothing, so registration does not read the status."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        status = self._source.status()
        yield from _lanes(status)
        yield from _release(status)
        if status.drift is not None:
            yield from _drift(status.drift)


def _lanes(status: WorkerStatus) -> Iterator[Metric]:
    lag = GaugeMetricFamily("segue_lane_lag", "Records not yet read.", labels=["lane", "topic"])
    left = GaugeMetricFamily(
        "segue_lane_sweep_left", "Users that a newer release has still to decide.", labels=["lane"]
    )
    due = GaugeMetricFamily("segue_lane_due_left", "Users that are still due today.", labels=["lane"])
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
        due.add_metric([str(lane.partition)], lane.due_left)
        if lane.activation is not None:
            activation.add_metric([str(lane.partition)], lane.activation)
    yield lag
    yield left
    yield due
    yield activation
    yield phase
    owned = len(status.group.owned)
    yield GaugeMetricFamily("segue_lanes_owned", "Lanes that the group assigned to this worker.", value=owned)


def _release(status: WorkerStatus) -> Iterator[Metric]:
    if status.release.version is None or status.release.activation is None:
        return
    yield GaugeMetricFamily(
        "segue_release_activation",
        "The activation in use: the offset of its record in segment-models.",
        value=status.release.activation,
    )
    yield InfoMetricFamily("segue_release", "The release in use.", value={"version": status.release.version})


def _drift(found: DriftStatus) -> Iterator[Metric]:
    index = GaugeMetricFamily(
        "segue_drift_psi",
        "Population stability index between the training users and a sample of this worker's users.",
        labels=["feature"],
    )
    threshold = GaugeMetricFamily(
        "segue_drift_psi_threshold", "Above this index a feature has drifted.", labels=["feature"]
    )
    absent = GaugeMetricFamily(
        "segue_drift_absent_ratio", "Share of the sampled users without a value.", labels=["feature"]
    )
    unseen = GaugeMetricFamily(
        "segue_drift_unseen_ratio",
        "Share of the sampled users with a value that training never saw.",
        labels=["feature"],
    )
    for feature in found.features:
        if feature.psi is not None and feature.threshold is not None:
            index.add_metric([feature.name], feature.psi)
            threshold.add_metric([feature.name], feature.threshold)
        absent.add_metric([feature.name], feature.absent)
        unseen.add_metric([feature.name], feature.unseen)
    yield index
    yield threshold
    yield absent
    yield unseen
    yield GaugeMetricFamily(
        "segue_drift_provisional_ratio",
        "Share of the sampled users who lack a feature.",
        value=found.provisional,
    )
    yield GaugeMetricFamily("segue_drift_sampled_users", "Users in the sample.", value=found.users)
    yield GaugeMetricFamily(
        "segue_drift_check_timestamp_seconds",
        "When the sample was read, in seconds since 1970.",
        value=found.at.timestamp(),
    )
