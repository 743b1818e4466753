"""The program whose spans go to a collector: they have come when it has answered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def test_spans_have_come_with_the_response() -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="protobuf has no wheel for this Python")
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    came: list[Any] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    came.extend(span for scope in resource.scope_spans for span in scope.spans)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        thread = threading.Thread(target=collector.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        done = subprocess.run(
            [
                sys.executable,
                str(ROOT / "examples" / "invoke.py"),
                str(ROOT / "examples" / "observers" / "traces.py"),
                str(ROOT / "tests" / "events" / "getting_started_sqs_event.json"),
            ],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}"},
            timeout=60,
        )
        collector.shutdown()
        thread.join()
    assert done.returncode == 0, done.stderr
    expected = json.loads((ROOT / "tests" / "events" / "getting_started_sqs_response.json").read_text())
    assert json.loads(done.stdout) == expected
    names = {span.span_id: span.name for span in came}
    assert len([name for name in names.values() if name.startswith("process ")]) == 3
    (own,) = (span for span in came if span.name == "look up the price")
    assert names[own.parent_span_id].startswith("process ")
