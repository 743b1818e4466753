#!/usr/bin/env bash
# opentelemetry-sdk 1.45.1: `TracerProvider.force_flush(timeout_millis)` "exports all ended spans that have not yet been
# exported", within a limit, and returns False where that was exceeded. One would guess that it comes back by then. It
# waits for the exporter however long that takes, and returns True, though nothing has been sent: with a collector that
# takes connections and never answers, that is the exporter's own timeout, 10 seconds by default, 3 of them here. So the
# instrumentation for Lambda, which flushes after each invocation, adds them to every response, whatever limit it was told.
# Whoever needs a limit flushes in a thread of his own, and does not believe what the flush returns.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install \
    opentelemetry-sdk==1.45.1 opentelemetry-exporter-otlp-proto-http==1.45.1

"$folder/env/bin/python" - <<'PROGRAM'
import logging
import socket
import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

logging.disable()
EXPORTER_S, LIMIT_MS = 3, 100

with socket.create_server(("127.0.0.1", 0)) as silent:
    exporter = OTLPSpanExporter(f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces", timeout=EXPORTER_S)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    with provider.get_tracer("finding").start_as_current_span("a span"):
        pass

    started = time.monotonic()
    flushed = provider.force_flush(LIMIT_MS)
    took = time.monotonic() - started

print(f"force_flush({LIMIT_MS}) returned {flushed} after {took:.1f} s; nothing was sent.")
assert flushed is True
assert took > EXPORTER_S - 0.5, took
PROGRAM
echo "As seen: the limit of the flush is that of the exporter, and it says that all went well."
