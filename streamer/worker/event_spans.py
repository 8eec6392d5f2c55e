"""OpenTelemetry spans for the events whose producer sent a trace context.

The SDK is an extra (``otel``), and its own variables configure it. Without ``OTEL_EXPORTER_OTLP_ENDPOINT``
(or the one for traces) there are no spans, and nothing of the library is imported.

A span begins with the batch and ends when the batch is saved. Spans are made afterwards, from the batch's
durations, so a lane never waits for them.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import structlog

from schemas.extras import how_to_install
from schemas.outputs.trace_context import TRACEPARENT, traceparent_in

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from streamer.batch.read_batch import Batch

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
SERVICE = "segue"

log = structlog.get_logger(__name__)


class EventSpans:
    """Makes the spans of traced events.

    Args:
        provider: where the spans go.
    """

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - an extra
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        self._provider = provider
        self._tracer = provider.get_tracer("segue.worker")
        self._extract = TraceContextTextMapPropagator().extract
        self._kind = SpanKind.CONSUMER

    def batch(self, lane: int, batch: Batch, seconds: dict[str, float]) -> None:
        """Make a span for each traced event of a batch that was just saved.

        The span names the record and the steps' durations. It has no user id and no value of an event.

        Args:
            lane: the lane's partition number.
            batch: the batch.
            seconds: the duration of each step of the batch, by its name.
        """
        end_ns = time.time_ns()
        begin_ns = end_ns - int(sum(seconds.values()) * 1e9)
        for incoming in batch.events:
            context = traceparent_in(incoming.record.headers) if incoming.record.headers else None
            if context is None:
                continue
            cause = incoming.cause
            span = self._tracer.start_span(
                f"process {cause.topic}",
                context=self._extract({TRACEPARENT: context.decode()}),
                kind=self._kind,
                start_time=begin_ns,
                attributes={
                    "messaging.system": "kafka",
                    "messaging.operation.type": "process",
                    "messaging.destination.name": cause.topic or "",
                    "messaging.destination.partition.id": str(cause.partition),
                    "messaging.kafka.offset": cause.offset or 0,
                    "messaging.batch.message_count": len(batch.events),
                    "segue.lane": lane,
                    **{f"segue.{step}_seconds": taken for step, taken in seconds.items()},
                },
            )
            span.end(end_ns)

    def close(self) -> None:
        """Send the spans that wait, and stop."""
        self._provider.shutdown()


def open_spans() -> EventSpans | None:
    """The spans of this process; None if the environment names no collector.

    Without the extra, a line in the log says so, because an operator may set the variable for all programs.
    """
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ModuleNotFoundError as error:
        log.warning("spans.none", reason=f"{error.name} is not installed; {how_to_install('otel')}")
        return None
    name = os.environ.get("OTEL_SERVICE_NAME", SERVICE)
    provider = TracerProvider(resource=Resource.create({"service.name": name}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return EventSpans(provider)
