"""Spans for each batch and each record, and metrics, sent to a collector of OpenTelemetry before the response."""

from typing import Any

from batchcore import BatchProcessor, EventType, LambdaContext, PartialItemFailureResponse, process_partial_response
from batchcore_otel import OpenTelemetryObserver
from batchcore_sqs import SQSRecord
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

# OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_SERVICE_NAME say where to send, and as whom.
tracer_provider = TracerProvider()
tracer_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(tracer_provider)
metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]))

processor = BatchProcessor(event_type=EventType.SQS, plugins=[OpenTelemetryObserver()])
tracer = trace.get_tracer(__name__)


def record_handler(record: SQSRecord) -> dict[str, Any]:
    order: dict[str, Any] = record.json_body
    with tracer.start_as_current_span("look up the price"):  # below the span of the record
        return {**order, "price": 7}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
