"""The examples that talk to something: an HTTP server, DynamoDB, Sentry, X-Ray. All of it real, all on this machine."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from .test_rows import OF_OUR_OWN

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
EVENTS = ROOT / "tests" / "events"
FLAVOURS = ["batchcore", "powertools"]
PATIENCE = 30  # seconds, after which something that never comes is a failure

Load = Callable[..., Any]
Event = Callable[[str], Any]


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Run an HTTP server on this machine, and give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False  # so that closing it waits for the requests it is answering
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(request: BaseHTTPRequestHandler, status: int) -> None:
    request.send_response(status)
    request.send_header("Content-Length", "2")
    request.end_headers()
    request.wfile.write(b"{}")


# The program in examples/concurrency.


@contextmanager
def orders_service(expected: int) -> Iterator[tuple[str, list[Any]]]:
    """An HTTP service that answers no request before the expected number of them is waiting; it refuses laptops."""
    received: list[Any] = []
    all_here = threading.Barrier(expected, timeout=PATIENCE)

    class Orders(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.append(order)
            try:
                all_here.wait()
            except threading.BrokenBarrierError:
                answer(self, 503)
            else:
                answer(self, 422 if "laptop" in order["item"] else 201)

        def log_message(self, *_arguments: Any) -> None:
            pass

    with serving(Orders) as address:
        yield f"http://{address}", received


def test_messages_wait_for_http_side_by_side(
    either: Callable[[str], Any], event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = event("pydantic_sqs_event")["Records"][0]
    items = [{"item": {kind: "new"}} for kind in ("keyboard", "laptop", "screen", "mouse")]
    bodies = [json.dumps(item) for item in items] + ["no JSON"]
    batch = {"Records": [{**sample, "messageId": f"m{n}", "body": body} for n, body in enumerate(bodies)]}
    program = either("concurrency/async_http.py")
    for _ in range(2):  # a warm invocation works as the first did
        with orders_service(expected=len(items)) as (url, received):
            monkeypatch.setenv("ORDERS_URL", url)
            failed = program(batch)["batchItemFailures"]
        assert sorted(failed, key=str) == [{"itemIdentifier": "m1"}, {"itemIdentifier": "m4"}]
        assert sorted(received, key=str) == sorted(items, key=str)
        succeeded = sorted(record["messageId"] for record in program.processor.success_messages)
        assert succeeded == ["m0", "m2", "m3"]
        kinds = [kind.__name__ for kind, _, _ in program.processor.exceptions]
        assert sorted(kinds) == ["HTTPStatusError", "JSONDecodeError"]


def test_entries_of_messages_that_ran_side_by_side_are_in_the_order_of_the_batch(
    either: Callable[[str], Any], event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = event("pydantic_sqs_event")["Records"][0]
    bodies = ['{"item": {"laptop": "amd"}}', "no JSON", '{"item": {"mouse": "new"}}']
    batch = {"Records": [{**sample, "messageId": f"m{n}", "body": body} for n, body in enumerate(bodies)]}
    with orders_service(expected=2) as (url, _):
        monkeypatch.setenv("ORDERS_URL", url)
        refused, unreadable, accepted = either("concurrency/async_http.py").run(batch).entries
    assert refused[1].startswith("<class 'httpx.HTTPStatusError'>:Client error '422")
    assert unreadable[1].startswith("<class 'json.decoder.JSONDecodeError'>:")
    assert [refused[2], unreadable[2]] == [("SQSRecord", record) for record in batch["Records"][:2]]
    assert accepted == ("success", 201, batch["Records"][2])


# The programs that write to DynamoDB.


def test_processor_from_scratch_writes_what_succeeded_to_its_table(
    load: Load, event: Event, table: Callable[[str], Any]
) -> None:
    import batchcore_sqs  # noqa: F401  # offers the source, as an installed package is found by its entry point

    batch = event("custom_partial_processor_payload")
    succeeds, fails = batch["Records"]
    rows = table("messageId")
    program = load("extending/custom_processor.py")
    for _ in range(2):
        assert program(batch) == {"batchItemFailures": [{"itemIdentifier": fails["messageId"]}]}
        assert rows.scan()["Items"] == [succeeds]


def test_processor_from_scratch_works_under_a_context_manager_too(
    either: Callable[[str], Any], event: Event, table: Callable[[str], Any]
) -> None:
    import batchcore_sqs  # noqa: F401

    records = event("custom_partial_processor_payload")["Records"]
    rows = table("messageId")
    program = either("extending/custom_processor.py")
    with program.processor(records=records, handler=program.module.record_handler) as processor:
        entries = processor.process()
    assert entries == [
        ("success", records[0]["body"], records[0]),
        ("fail", "<class 'ValueError'>:The body holds no object.", records[1]),
    ]
    assert rows.scan()["Items"] == [records[0]]


def test_message_delivered_again_is_answered_from_the_table(
    either: Callable[[str], Any], event: Event, table: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    batch = event("getting_started_sqs_event")
    rows = table("id")
    program = either("idempotency/record_handler.py")
    runs = [program.run(batch) for _ in range(2)]  # each handles the batch twice
    for run in runs:
        assert run.response == event("getting_started_sqs_response")
        assert run.entries[0] == ("success", {"met": {"Message": "success"}}, batch["Records"][0])
    assert capsys.readouterr().out.count("Order met") == 1
    (row,) = rows.scan()["Items"]  # the message that failed left none, so it may be tried again
    assert row["status"] == "COMPLETED"


# Programs in an interpreter of their own.


@pytest.fixture(params=FLAVOURS)
def folder(request: pytest.FixtureRequest, tmp_path: Path, changed_imports: Callable[[str], str]) -> Path:
    """A copy of the examples, once as they are and once with Powertools' imports."""
    copied = tmp_path / "examples"
    shutil.copytree(EXAMPLES, copied, ignore=shutil.ignore_patterns("__pycache__", *OF_OUR_OWN))
    if request.param == "powertools":
        for path in copied.rglob("*.py"):
            path.write_text(changed_imports(path.read_text()))
    return copied


def interpreter(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": path} | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def invoke(folder: Path, program: str, event: str, **environment: str) -> Any:
    run = interpreter("invoke.py", program, str(EVENTS / f"{event}.json"), cwd=folder, **environment)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_reader_can_run_a_program_by_hand(folder: Path, event: Event) -> None:
    response = invoke(folder, "getting_started/kinesis.py", "getting_started_kinesis_event")
    assert response == event("getting_started_kinesis_response")


def test_test_of_the_example_passes(folder: Path) -> None:
    run = interpreter("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", cwd=folder / "testing")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout


def test_test_of_the_example_notices_a_response_that_hides_the_failure(folder: Path) -> None:
    app = folder / "testing" / "app.py"
    app.write_text(app.read_text().replace("    return process_partial_response", "    process_partial_response"))
    run = interpreter("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", cwd=folder / "testing")
    assert "1 failed" in run.stdout


def test_event_of_the_example_test_is_the_one_of_the_page(event: Event) -> None:
    sample = json.loads((EXAMPLES / "testing" / "events" / "sqs_event.json").read_text())
    assert sample == event("getting_started_sqs_event")


# The program that reports to Sentry.


@contextmanager
def sentry() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A place that the SDK sends its events to."""
    events: list[dict[str, Any]] = []

    class Envelopes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            _envelope, *items = body.splitlines()
            for header, payload in zip(items[::2], items[1::2], strict=False):
                if json.loads(header)["type"] == "event":
                    events.append(json.loads(payload))
            answer(self, 200)

        def log_message(self, *_arguments: Any) -> None:
            pass

    with serving(Envelopes) as address:
        yield f"http://key@{address}/7", events


def test_exception_of_each_failed_record_reaches_sentry_once_with_its_frames(folder: Path, event: Event) -> None:
    with sentry() as (dsn, events):
        response = invoke(folder, "extending/sentry_errors.py", "getting_started_sqs_event", SENTRY_DSN=dsn)
    assert response == event("getting_started_sqs_response")
    (reported,) = events
    (exception,) = reported["exception"]["values"]
    assert exception["type"] == "JSONDecodeError"
    assert "record_handler" in [frame["function"] for frame in exception["stacktrace"]["frames"]]


# The program that is traced by X-Ray.


def traced(folder: Path, program: str) -> dict[str, Any]:
    """Invoke a program as Lambda does with tracing on; give the segments that reach the daemon, by name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(PATIENCE)
        invoke(
            folder,
            program,
            "getting_started_sqs_event",
            LAMBDA_TASK_ROOT=str(folder),
            POWERTOOLS_TRACE_DISABLED="false",
            AWS_XRAY_DAEMON_ADDRESS=f"127.0.0.1:{daemon.getsockname()[1]}",
            _X_AMZN_TRACE_ID="Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        )
        segments: dict[str, Any] = {}
        while "## lambda_handler" not in segments:  # the outermost is the last to be sent
            segment = json.loads(daemon.recv(65536).split(b"\n", 1)[1])
            segments.setdefault(segment["name"], segment)
    return segments


def handler_segment(segments: dict[str, Any]) -> Any:
    """Find the segment of the first record handled, wherever it was sent: by itself or inside of another."""
    waiting = list(segments.values())
    while waiting:
        segment = waiting.pop(0)
        if segment["name"].endswith("record_handler"):
            return segment
        waiting += segment.get("subsegments", [])
    pytest.fail(f"No handler was traced: {list(segments)}")


def test_trace_keeps_what_a_handler_returns_unless_told_not_to(folder: Path) -> None:
    kept = handler_segment(traced(folder, "getting_started/sqs.py"))
    assert "success" in json.dumps(kept.get("metadata", {}))
    left_out = handler_segment(traced(folder, "tracing/no_response_capture.py"))
    assert "success" not in json.dumps(left_out.get("metadata", {}))
