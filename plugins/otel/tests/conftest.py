"""Real providers of the SDK, what they have collected, and a collector that they send to."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry import context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from batchcore import AsyncBatchProcessor, BatchProcessor, BatchResult
from batchcore_otel import OpenTelemetryObserver


class Collected:
    """Spans and metrics in memory, and observers whose they are."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.traces = TracerProvider(shutdown_on_exit=False)
        self.traces.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)

    def observer(self, **options: Any) -> OpenTelemetryObserver:
        options = {"tracer_provider": self.traces, "meter_provider": self.meters, **options}
        return OpenTelemetryObserver(**options)

    def run(
        self, source: Any, event: Any, handler: Callable[..., Any], lambda_context: Any = None, **options: Any
    ) -> BatchResult:
        """Run a batch one by one. ``plugins`` are further ones, ``observer`` has the options of the observer."""
        plugins = [self.observer(**options.pop("observer", {})), *options.pop("plugins", ())]
        processor = BatchProcessor(source, plugins=plugins, raise_on_entire_batch_failure=False, **options)
        return processor.run(event, handler, lambda_context)

    @staticmethod
    def traceparent(trace: int, span: int) -> str:
        """Give the header of a producer's span."""
        return f"00-{trace:032x}-{span:016x}-01"

    @classmethod
    def sent_by(cls, trace: int, span: int, **texts: str) -> dict[str, Mapping[str, str]]:
        """Give the message attributes of a message of SQS whose producer had this span."""
        texts = {"traceparent": cls.traceparent(trace, span), **texts}
        return {name: {"stringValue": text, "dataType": "String"} for name, text in texts.items()}

    @staticmethod
    def linked(span: ReadableSpan) -> list[tuple[int, int]]:
        """Give what a span is linked to: ids of traces and spans."""
        return [(link.context.trace_id, link.context.span_id) for link in span.links]

    @staticmethod
    def status(span: ReadableSpan) -> tuple[str, Any]:
        """Give the status of a span, and its ``error.type``."""
        return span.status.status_code.name, (span.attributes or {}).get("error.type")

    @property
    def statuses(self) -> list[tuple[str, Any]]:
        """Give those of the records."""
        return [self.status(span) for span in self.records]

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """Those that have ended, in that order."""
        return self.exporter.get_finished_spans()

    @property
    def batch(self) -> ReadableSpan:
        """The span of the one batch: the parent of all others."""
        ids = {span.context.span_id for span in self.spans}
        (found,) = (span for span in self.spans if span.parent is None or span.parent.span_id not in ids)
        return found

    @property
    def records(self) -> list[ReadableSpan]:
        """The spans of records, in the order in which they were started."""
        batch = self.batch
        return sorted((span for span in self.spans if span is not batch), key=lambda span: span.start_time or 0)

    def points(self, name: str) -> dict[tuple[tuple[str, Any], ...], Any]:
        """Give the data points of a metric by their attributes, sorted: of a counter its value, else the point."""
        data = self.reader.get_metrics_data()
        metrics = [
            metric
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
        ]
        return {
            tuple(sorted((point.attributes or {}).items())): getattr(point, "value", point)
            for metric in metrics
            for point in metric.data.data_points
        }


@pytest.fixture
def collected() -> Iterator[Collected]:
    """Collect; and see that a batch leaves the context of its caller as it was."""
    before = context.get_current()
    collecting = Collected()
    yield collecting
    assert context.get_current() == before
    collecting.traces.shutdown()
    collecting.meters.shutdown()


def run_one_by_one(plugins: Sequence[object], event: Any, handler: Callable[..., Any]) -> BatchResult:
    return BatchProcessor("sqs", plugins=plugins, raise_on_entire_batch_failure=False).run(event, handler)


def run_in_threads(plugins: Sequence[object], event: Any, handler: Callable[..., Any]) -> BatchResult:
    processor = BatchProcessor("sqs", plugins=plugins, raise_on_entire_batch_failure=False, max_concurrency=4)
    return processor.run(event, handler)


def run_as_tasks(plugins: Sequence[object], event: Any, handler: Callable[..., Any]) -> BatchResult:
    import asyncio

    async def awaiting(record: Any) -> Any:
        await asyncio.sleep(0)
        return handler(record)

    processor = AsyncBatchProcessor("sqs", plugins=plugins, raise_on_entire_batch_failure=False)
    return processor.run(event, awaiting)


@pytest.fixture(params=[run_one_by_one, run_in_threads, run_as_tasks], ids=["one by one", "threads", "tasks"])
def run(request: pytest.FixtureRequest) -> Callable[..., BatchResult]:
    """Runs a batch of SQS in one of three ways."""
    chosen: Callable[..., BatchResult] = request.param
    return chosen


class Receiver(ThreadingHTTPServer):
    """A collector on this machine that takes OTLP over HTTP, and parses it.

    Attributes:
        status: what it answers with.
        silence: where it is set, a request is answered once this is.
        requests: those that have come, parsed or not.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.status = 200
        self.silence: threading.Event | None = None
        self.requests = 0
        self.traces: list[Any] = []
        self.metrics: list[Any] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def spans(self) -> list[Any]:
        """The spans that have come, each an OTLP message."""
        return [
            span
            for request in list(self.traces)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def metric_names(self) -> set[str]:
        return {
            metric.name
            for request in list(self.metrics)
            for resource in request.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


class _Request(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.requests += 1
        if self.server.silence is not None:
            self.server.silence.wait(30)
        elif self.server.status == 200 and self.path == "/v1/traces":
            self.server.traces.append(ExportTraceServiceRequest.FromString(body))
        elif self.server.status == 200 and self.path == "/v1/metrics":
            self.server.metrics.append(ExportMetricsServiceRequest.FromString(body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A collector that works, until it is told otherwise."""
    pytest.importorskip("opentelemetry.proto", reason="OTLP needs protobuf, which has no wheel for this Python")
    with Receiver() as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield serving
        if serving.silence is not None:
            serving.silence.set()
        serving.shutdown()
        thread.join()


@pytest.fixture
def exporting(receiver: Receiver) -> Iterator[Callable[..., dict[str, Any]]]:
    """Give providers that send to an endpoint, the receiver's if no other is named, as options of an observer."""
    http = pytest.importorskip("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    of_metrics = pytest.importorskip("opentelemetry.exporter.otlp.proto.http.metric_exporter")
    made: list[Any] = []

    def make(endpoint: str | None = None, **options: Any) -> dict[str, Any]:
        endpoint = receiver.endpoint if endpoint is None else endpoint
        traces = TracerProvider(shutdown_on_exit=False)
        exporter = http.OTLPSpanExporter(f"{endpoint}/v1/traces", **options)
        traces.add_span_processor(BatchSpanProcessor(exporter))
        reader = PeriodicExportingMetricReader(of_metrics.OTLPMetricExporter(f"{endpoint}/v1/metrics", **options))
        meters = MeterProvider([reader], shutdown_on_exit=False)
        made.extend((exporter, reader._exporter, traces, meters))
        return {"tracer_provider": traces, "meter_provider": meters}

    yield make
    if receiver.silence is not None:
        receiver.silence.set()
    for each in made:  # exporters first: they give up what they still try
        each.shutdown()
