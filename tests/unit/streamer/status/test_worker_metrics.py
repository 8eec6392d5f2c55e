"""What Prometheus reads, parsed back by its own parser."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from streamer.status.drift_status import DriftStatus, FeatureDrift
from streamer.status.worker_metrics import Metrics
from streamer.status.worker_status import GroupStatus, LaneStatus, ReleaseStatus, WorkerStatus
from tests.support.checks.promtool import promtool


class Source:
    def __init__(self, status: WorkerStatus) -> None:
        self.now = status

    def status(self) -> WorkerStatus:
        return self.now

    def ended(self) -> list[str]:
        return []


def status(*lanes: LaneStatus, version: str | None = "v1", activation: int | None = 3) -> WorkerStatus:
    owned = tuple(lane.partition for lane in lanes)
    return WorkerStatus(
        group=GroupStatus(name="g", joined=True, owned=owned, halves=(), waiting=None),
        release=ReleaseStatus(version=version, activation=activation, problem=None),
        lanes=lanes,
    )


def samples(metrics: Metrics) -> dict[str, float]:
    """Every sample by its name and labels, as Prometheus writes them."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_a_batch_is_counted_by_topic_kind_and_step() -> None:
    metrics = Metrics()
    for _ in range(2):
        metrics.batch(
            events={"signups": 3, "orders": 4},
            dead_letters={"orders": 1},
            rekeyed=3,
            passed_over={},
            unknown=1,
            changes={"moved": 2, "confirmed": 1},
            seconds={"load": 0.25, "commit": 0.5},
            latencies_s=[0.02, 0.2, 2.0],
        )
    found = samples(metrics)
    assert found["segue_events_total{topic=signups}"] == 6
    assert found["segue_events_total{topic=orders}"] == 8
    assert found["segue_dead_letters_total{topic=orders}"] == 2
    assert found["segue_changes_total{kind=moved}"] == 4
    assert found["segue_changes_total{kind=confirmed}"] == 2
    assert found["segue_batch_records_count"] == 2
    assert found["segue_rekeyed_total"] == 6
    assert found["segue_unknown_erasures_total"] == 2
    assert found["segue_batch_records_sum"] == 22  # (3 + 4 + 1 + 3) twice
    assert found["segue_batch_seconds_sum"] == 1.5
    assert found["segue_step_seconds_sum{step=load}"] == 0.5
    assert found["segue_step_seconds_sum{step=commit}"] == 1.0
    assert found["segue_latency_seconds_count"] == 6
    # 0.02 lies within 25 ms, 0.2 within 250 ms, 2.0 within 2.5 s.
    assert found["segue_latency_seconds_bucket{le=0.025}"] == 2
    assert found["segue_latency_seconds_bucket{le=0.25}"] == 4
    assert found["segue_latency_seconds_bucket{le=2.5}"] == 6


def test_a_clock_that_runs_behind_gives_no_negative_latency() -> None:
    metrics = Metrics()
    metrics.batch(
        events={"orders": 1},
        dead_letters={},
        rekeyed=0,
        passed_over={},
        unknown=0,
        changes={},
        seconds={},
        latencies_s=[-5.0],
    )
    assert samples(metrics)["segue_latency_seconds_sum"] == 0


def test_lanes_are_shown_as_they_are_when_asked() -> None:
    source = Source(status(LaneStatus(partition=2, phase="live", lag={"signups": 5, "orders": 0})))
    metrics = Metrics()
    metrics.watch(source)
    found = samples(metrics)
    assert found["segue_lane_lag{lane=2,topic=signups}"] == 5
    assert found["segue_lane_lag{lane=2,topic=orders}"] == 0
    assert found["segue_lane_phase{lane=2,phase=live}"] == 1
    assert found["segue_lane_phase{lane=2,phase=healing}"] == 0
    assert found["segue_lanes_owned"] == 1
    source.now = status()
    found = samples(metrics)
    assert found["segue_lanes_owned"] == 0
    assert not [name for name in found if "lane=2" in name]


def test_a_sweep_and_a_day_are_counted_and_what_is_left_of_them_shown() -> None:
    metrics = Metrics()
    metrics.watch(
        Source(status(LaneStatus(partition=2, phase="live", sweep_left=30, due_left=4, activation=7)))
    )
    metrics.swept(20, {"moved": 3})
    metrics.swept(5, {})
    metrics.came_due(7, {"moved": 2})
    found = samples(metrics)
    assert found["segue_swept_users_total"] == 25
    assert found["segue_due_users_total"] == 7
    assert found["segue_changes_total{kind=moved}"] == 5
    assert found["segue_lane_sweep_left{lane=2}"] == 30
    assert found["segue_lane_due_left{lane=2}"] == 4
    assert found["segue_lane_activation{lane=2}"] == 7


def test_the_release_is_shown_once_there_is_one() -> None:
    source = Source(status(version=None, activation=None))
    metrics = Metrics()
    metrics.watch(source)
    assert not [name for name in samples(metrics) if name.startswith("segue_release")]
    source.now = status(version="abc", activation=41)
    found = samples(metrics)
    assert found["segue_release_activation"] == 41
    assert found["segue_release_info{version=abc}"] == 1


def test_takeovers_are_counted_by_lane() -> None:
    metrics = Metrics()
    metrics.takeover(1)
    metrics.takeover(1)
    metrics.takeover(3)
    found = samples(metrics)
    assert found["segue_takeovers_total{lane=1}"] == 2
    assert found["segue_takeovers_total{lane=3}"] == 1


def test_lanes_may_count_at_once() -> None:
    metrics = Metrics()

    def lane() -> None:
        for _ in range(200):
            metrics.batch(
                events={"orders": 1},
                dead_letters={},
                rekeyed=0,
                passed_over={},
                unknown=0,
                changes={"moved": 1},
                seconds={},
                latencies_s=[1.0],
            )

    threads = [threading.Thread(target=lane) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = samples(metrics)
    assert found["segue_events_total{topic=orders}"] == 1_600
    assert found["segue_changes_total{kind=moved}"] == 1_600
    assert found["segue_latency_seconds_count"] == 1_600


def test_two_workers_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.takeover(0)
    assert "segue_takeovers_total{lane=0}" not in samples(other)


def test_the_process_is_measured_too() -> None:
    assert samples(Metrics())["process_resident_memory_bytes"] > 0


AT = datetime(2024, 6, 1, tzinfo=UTC)
DRIFT = DriftStatus("v1", 3, AT, 500, 400, 0.2, (FeatureDrift("age", 0.3, 0.1, 0.02, 0.01),))


def test_the_last_comparison_with_the_training_users_is_shown() -> None:
    metrics = Metrics()
    source = Source(replace(status(), drift=DRIFT))
    metrics.watch(source)
    found = samples(metrics)
    assert found["segue_drift_psi{feature=age}"] == 0.3
    assert found["segue_drift_psi_threshold{feature=age}"] == 0.1
    assert found["segue_drift_unseen_ratio{feature=age}"] == 0.01
    assert found["segue_drift_check_timestamp_seconds"] == AT.timestamp()
    nobody = FeatureDrift("age", None, None, 1.0, 0.0)
    source.now = replace(status(), drift=replace(DRIFT, compared=0, features=(nobody,)))
    assert "segue_drift_psi{feature=age}" not in samples(metrics)
    assert samples(metrics)["segue_drift_absent_ratio{feature=age}"] == 1.0


def test_every_metric_is_in_the_document_and_no_other() -> None:
    metrics = Metrics()
    lane = LaneStatus(partition=0, phase="live", lag={"orders": 0})
    metrics.watch(Source(replace(status(lane), drift=DRIFT)))
    families = {
        family.name: family.type for family in text_string_to_metric_families(metrics.exposition().decode())
    }
    shown = {
        name + ("_total" if kind == "counter" else "")
        for name, kind in families.items()
        if name.startswith("segue_") and not name.endswith("_created")  # when a histogram began
    }
    document = (Path(__file__).parents[4] / "docs" / "worker.md").read_text()
    assert set(re.findall(r"^\| `(segue_\w+)`", document, re.MULTILINE)) == shown


def test_the_metrics_keep_prometheuss_conventions(tmp_path: Path) -> None:
    """Names, units and help, as `promtool` knows them; it also looks at metrics without a sample."""
    metrics = Metrics()
    lane = LaneStatus(partition=0, phase="live", lag={"orders": 0})
    metrics.watch(Source(replace(status(lane), drift=DRIFT)))
    promtool("check", "metrics", folder=tmp_path, text=metrics.exposition().decode())
