"""A traced event has a span, the child of its producer's; an event without a context has none."""

import pytest
from structlog.testing import capture_logs

from schemas.input_events import UserErased
from schemas.outputs.segment_change import Cause
from schemas.times import EPOCH
from streamer.batch.read_batch import Batch, Incoming
from streamer.interfaces.lane_interfaces import Headers, Record
from streamer.status.worker_metrics import Metrics
from streamer.worker.event_spans import ENDPOINTS, EventSpans, open_spans
from streamer.worker.lane_boards import StatusBoard

pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed")

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SECONDS = {"load": 0.5, "decide": 1.0, "commit": 2.0, "save": 0.5}


def incoming(offset: int, headers: Headers) -> Incoming:
    record = Record("signups", 3, offset, b"7", None, 0, headers)
    cause = Cause("signup", "signups", 3, offset)
    return Incoming(UserErased("7", EPOCH), cause, 0, "signups", offset, record)


def test_a_traced_event_is_a_child_of_its_producers_span() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    board = StatusBoard(Metrics(), EventSpans(provider)).opened(3)
    traced = incoming(41, (("traceparent", f"00-{TRACE}-{PARENT}-01".encode()),))

    board.batch(Batch([incoming(40, ()), traced], [], {}), (), SECONDS)

    (span,) = exporter.get_finished_spans()
    assert span.context is not None
    assert span.parent is not None
    assert span.attributes is not None
    assert span.start_time is not None
    assert span.end_time is not None
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, PARENT)
    assert span.attributes["messaging.kafka.offset"] == 41
    assert span.attributes["segue.commit_seconds"] == 2.0
    assert span.end_time - span.start_time == 4_000_000_000
    assert "7" not in span.attributes.values()


def test_there_are_no_spans_unless_the_environment_names_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    assert open_spans() is None


def test_a_collector_without_the_extra_is_said_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINTS[0], "http://127.0.0.1:4318")
    monkeypatch.setitem(
        __import__("sys").modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None
    )
    with capture_logs() as logs:
        assert open_spans() is None
    assert [line["event"] for line in logs] == ["spans.none"]
    assert "'.[otel]'" in logs[0]["reason"]
