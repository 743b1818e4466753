"""The observer of OpenTelemetry, with spans and metrics that are flushed to a collector."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from batchcore_otel import OpenTelemetryObserver

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def plugins(address: str) -> Iterator[list[object]]:
    traces = TracerProvider()
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"http://{address}/v1/traces")))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"http://{address}/v1/metrics"))
    metrics = MeterProvider([reader])
    yield [OpenTelemetryObserver(tracer_provider=traces, meter_provider=metrics)]
    traces.shutdown()
    metrics.shutdown()
