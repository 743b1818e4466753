"""How the observer comes to a function, and what it does where nobody collects anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from typing import Any

import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import NoOpTracerProvider

from batchcore import ConfigurationError
from batchcore_otel import OpenTelemetryObserver
from batchcore_otel.by_name import from_environment
from batchcore_otel.observer import VERSION
from batchcore_testing import make_event

Fixture = Any

FUNCTION = """
import json, sys
{setup}
from batchcore import BatchProcessor, process_partial_response
processor = BatchProcessor("sqs")
def lambda_handler(event, context):
    return process_partial_response(event, lambda record: {body}, processor, context)
response = lambda_handler(json.loads(sys.argv[1]), None)
loaded = sorted(name for name in sys.modules if name.partition(".")[0] in ("opentelemetry", "batchcore_otel"))
print(json.dumps([response, loaded]))
"""


def run_function(setup: str = "", body: str = "None", **environment: str) -> list[Any]:
    """Run a function of its own process, and give its response and the modules of OpenTelemetry and of ours."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "BATCHCORE_"))}
    done = subprocess.run(
        [sys.executable, "-c", FUNCTION.format(setup=setup, body=body), json.dumps(make_event("sqs", "a", "b"))],
        check=False,
        capture_output=True,
        text=True,
        env={**clean, **environment},
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def test_installed_and_not_named_it_is_not_imported() -> None:
    response, loaded = run_function()
    assert response == {"batchItemFailures": []}
    assert loaded == []


def test_named_in_the_environment_and_without_an_sdk_it_does_nothing() -> None:
    response, loaded = run_function(BATCHCORE_PLUGINS="otel")
    assert response == {"batchItemFailures": []}
    assert "batchcore_otel.observer" in loaded
    assert not [name for name in loaded if name.startswith("opentelemetry.sdk")]


def test_named_in_the_environment_it_sends_to_the_global_providers(receiver: Fixture) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    setup = """
from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
traces = TracerProvider(shutdown_on_exit=False)
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(traces)
metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], shutdown_on_exit=False))
"""
    response, _ = run_function(
        setup,
        BATCHCORE_PLUGINS="otel",
        BATCHCORE_OTEL_FLUSH_TIMEOUT="20",
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
    )
    assert response == {"batchItemFailures": []}
    assert len(receiver.spans) == 3
    assert "batchcore.records" in receiver.metric_names


def test_providers_that_are_set_up_later_are_found() -> None:
    """A function may import what sets them up after it has made its processor."""
    setup = """
import batchcore_otel, atexit
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter = InMemorySpanExporter()
def set_up():
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
observer = batchcore_otel.OpenTelemetryObserver()
import batchcore
first = batchcore.BatchProcessor("sqs", plugins=[observer])
first.run(json.loads(sys.argv[1]), lambda record: None)
set_up()
first.run(json.loads(sys.argv[1]), lambda record: None)
assert len(exporter.get_finished_spans()) == 3
"""
    run_function(setup)


def test_without_an_sdk_nothing_is_current_and_nothing_flushed(collected: Fixture) -> None:
    from opentelemetry import context

    seen: list[object] = []
    options = {"tracer_provider": NoOpTracerProvider(), "meter_provider": NoOpMeterProvider()}
    collected.run("sqs", make_event("sqs", "a"), lambda record: seen.append(context.get_current()), observer=options)
    assert seen == [context.get_current()]
    assert collected.spans == ()


def test_a_disabled_sdk_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider

    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    observer = OpenTelemetryObserver(
        tracer_provider=TracerProvider(shutdown_on_exit=False), meter_provider=MeterProvider(shutdown_on_exit=False)
    )
    assert (observer._tracer_now(), observer._metrics_now()) == (None, None)


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({}, "OpenTelemetryObserver(producers='link', flush_timeout=1.0)"),
        ({"BATCHCORE_OTEL_PRODUCERS": "parent"}, "OpenTelemetryObserver(producers='parent', flush_timeout=1.0)"),
        ({"BATCHCORE_OTEL_FLUSH_TIMEOUT": "0"}, "OpenTelemetryObserver(producers='link', flush_timeout=0.0)"),
    ],
)
def test_the_environment_says_what_an_argument_would(environment: dict[str, str], shown: str) -> None:
    assert repr(from_environment(environment)) == shown


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"BATCHCORE_OTEL_PRODUCERS": "both"}, "'link' or 'parent', not 'both'"),
        ({"BATCHCORE_OTEL_FLUSH_TIMEOUT": "1s"}, "BATCHCORE_OTEL_FLUSH_TIMEOUT is a number of seconds, not '1s'"),
        ({"BATCHCORE_OTEL_FLUSH_TIMEOUT": "nan"}, "from 0 on, not nan"),
    ],
)
def test_what_the_environment_says_wrongly_is_an_error(environment: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        from_environment(environment)


@pytest.mark.parametrize(
    "options",
    [
        {"producers": "none"},
        {"flush_timeout": -1},
        {"flush_timeout": float("inf")},
        {"flush_timeout": True},
        {"flush_timeout": "1"},
        {"most_links": -1},
        {"most_links": 1.5},
        {"carrier_of": "headers"},
    ],
)
def test_what_cannot_be_used_is_refused(options: Any) -> None:
    with pytest.raises(ConfigurationError):
        OpenTelemetryObserver(**options)


def test_spans_say_the_version_of_the_package() -> None:
    assert metadata.version("batchcore-otel") == VERSION


def test_the_names_are_those_of_the_conventions() -> None:
    """The package that has them is not imported by ours: it marks these as private."""
    conventions: Any = pytest.importorskip("opentelemetry.semconv._incubating.attributes.messaging_attributes")
    of_metrics: Any = pytest.importorskip("opentelemetry.semconv._incubating.metrics.messaging_metrics")
    schemas: Any = pytest.importorskip("opentelemetry.semconv.schemas")
    from batchcore_otel import conventions as ours

    for name, value in vars(ours).items():
        if isinstance(value, str) and value.startswith("messaging."):
            theirs = {"KAFKA_TOMBSTONE": "KAFKA_MESSAGE_TOMBSTONE"}.get(name, name)
            assert value == getattr(conventions, f"MESSAGING_{theirs}")
    assert of_metrics.MESSAGING_PROCESS_DURATION == "messaging.process.duration"
    assert of_metrics.MESSAGING_CLIENT_CONSUMED_MESSAGES == "messaging.client.consumed.messages"
    assert schemas.Schemas.V1_44_0.value == ours.SCHEMA_URL
    assert ours.system_of("sqs") == conventions.MessagingSystemValues.AWS_SQS.value
