"""Datadog's library for Lambda round a function with a processor, in AWS's own runtime client, and what its agent gets.

It patches what it finds when it is imported, so it runs in processes of its own.
"""

from __future__ import annotations

import json
import os
import re
import struct
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from batchcore_testing import make_event, redelivered
from tests.runtime.function import LambdaFunction

from .beside import BESIDE, PATIENCE, WAYS, environment, messages, named

pytestmark = pytest.mark.skipif(
    find_spec("datadog_lambda") is None, reason="datadog-lambda has no release for this Python"
)  # not importorskip: that would import it here

COUNT = 6
ORDERS = [{"id": at, "quantity": int(at != 2)} for at in range(COUNT)]
FIXED = {0xC0: None, 0xC2: False, 0xC3: True, **{kind: kind for kind in range(0x80)}}
FIXED |= {kind: kind - 0x100 for kind in range(0xE0, 0x100)}
SHAPES = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q"}
SHAPES |= {0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
LENGTHS = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}


class MessagePack:
    """Reads what a tracer sends: https://github.com/msgpack/msgpack/blob/master/spec.md without extensions."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]

    def read(self) -> Any:
        kind = self.take(1)[0]
        if kind in FIXED:
            return FIXED[kind]
        if kind in SHAPES:
            return struct.unpack(SHAPES[kind], self.take(struct.calcsize(SHAPES[kind])))[0]
        if kind in LENGTHS:
            count = int.from_bytes(self.take(LENGTHS[kind]), "big")
        else:
            count = kind & (0x1F if kind >= 0xA0 else 0x0F)
        if kind < 0x90 or kind in (0xDE, 0xDF):
            return {self.read(): self.read() for _ in range(count)}
        if kind < 0xA0 or kind in (0xDC, 0xDD):
            return [self.read() for _ in range(count)]
        return self.take(count) if kind in (0xC4, 0xC5, 0xC6) else self.take(count).decode()


class Agent(ThreadingHTTPServer):
    """Plays the trace agent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.spans: list[dict[str, Any]] = []
        self.arrived = threading.Condition()

    def wait_for(self, name: str) -> None:
        """Wait until a span of this name has come."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: any(span["name"] == name for span in self.spans), PATIENCE)

    def paths(self) -> Counter[str]:
        """Count the spans of orders by the names of those above them, the innermost first."""
        by_id = {span["span_id"]: span for span in self.spans}

        def path(span: dict[str, Any]) -> str:
            parent = by_id.get(span.get("parent_id"))
            return span["name"] + ("" if parent is None else f" < {path(parent)}")

        return Counter(path(span) for span in self.spans if span["name"].startswith("order."))


class _Requests(BaseHTTPRequestHandler):
    server: Agent
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({"endpoints": ["/v0.4/traces"], "version": "7.60.0"})

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v0.4/traces":
            with self.server.arrived:
                self.server.spans += [span for trace in MessagePack(body).read() for span in trace]
                self.server.arrived.notify_all()
        self._answer({})

    do_POST = do_PUT

    def _answer(self, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def agent() -> Iterator[Agent]:
    with Agent() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


APP = """
import asyncio, os
from batchcore import AsyncBatchProcessor, BatchProcessor, async_process_partial_response, process_partial_response
from datadog_lambda.wrapper import datadog_lambda_wrapper
from ddtrace.trace import tracer
import batchcore_kinesis, batchcore_sqs

WAY = os.environ["WAY"]
processor = {
    "one by one": lambda: BatchProcessor(),
    "threads": lambda: BatchProcessor(max_concurrency=8),
    "asyncio": lambda: AsyncBatchProcessor(max_concurrency=8),
}[WAY]()
calls = dict.fromkeys(["one by one", "threads"], process_partial_response) | {"asyncio": async_process_partial_response}

def content(record):
    return record.json_body if hasattr(record, "json_body") else record.kinesis.data_as_json()

def ends(order, span):
    span.set_tag("order.id", str(order["id"]))
    if order["quantity"] < 1:
        raise ValueError("nothing is ordered")

@tracer.wrap("order.handle")
def handle(record):
    order = content(record)
    with tracer.trace("order.ship") as span:
        ends(order, span)

@tracer.wrap("order.handle")
async def handle_async(record):
    order = content(record)
    with tracer.trace("order.ship") as span:
        await asyncio.sleep(0.01 * (order["id"] % 3))
        ends(order, span)

@datadog_lambda_wrapper
def lambda_handler(event, context):
    return calls[WAY](event, handle_async if WAY == "asyncio" else handle, processor, context)
"""
Start = Callable[..., LambdaFunction]


@pytest.fixture
def start(tmp_path: Path, agent: Agent) -> Iterator[Start]:
    """Start a function in AWS's runtime client: that above, or the program of the examples."""
    started: list[LambdaFunction] = []

    def start(way: str = "", handler: str = "app.lambda_handler") -> LambdaFunction:
        (tmp_path / "app.py").write_text(APP)
        variables = environment(
            DD_TRACE_AGENT_URL=agent.address,
            DD_TRACE_API_VERSION="v0.4",
            DD_API_KEY="none",
            DD_SERVICE="orders",
            DD_LAMBDA_HANDLER=handler,
            DD_FLUSH_TO_LOG="true",  # metrics are lines of the log
            DD_COLD_START_TRACING="false",
            DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
            DD_REMOTE_CONFIGURATION_ENABLED="false",
            WAY=way,
        )
        variables["PYTHONPATH"] = os.pathsep.join([str(BESIDE), variables["PYTHONPATH"]])
        started.append(LambdaFunction(handler, tmp_path, sys.executable, base_environment=variables))
        return started[-1]

    yield start
    for function in started:
        function.close()


def metrics(function: LambdaFunction) -> dict[str, list[float]]:
    """Return the values of the metrics in a function's log."""
    found: dict[str, list[float]] = {}
    for text in re.findall(r'\{"m":.*\}$', function.output, re.MULTILINE):
        metric = json.loads(text)
        found.setdefault(metric["m"].removeprefix("aws.lambda.enhanced."), []).append(metric["v"])
    return found


@pytest.mark.parametrize("way", WAYS)
def test_spans_of_handlers_stand_under_that_of_the_function(way: str, start: Start, agent: Agent) -> None:
    assert start(way).invoke(messages(*ORDERS)) == named("m2")
    agent.wait_for("aws.lambda")
    above = "aws.lambda < aws.sqs"
    assert agent.paths() == {f"order.ship < order.handle < {above}": COUNT, f"order.handle < {above}": COUNT}
    assert sorted(span["meta"]["order.id"] for span in agent.spans if span["name"] == "order.ship") == list("012345")
    assert Counter(span["name"] for span in agent.spans if span.get("error")) == {"order.ship": 1, "order.handle": 1}
    assert len({span["trace_id"] for span in agent.spans}) == 1


def test_program_has_a_span_for_each_message(start: Start, agent: Agent) -> None:
    function = start(handler="datadog_spans.lambda_handler")
    for _ in range(2):
        agent.spans.clear()
        assert function.invoke(messages(*ORDERS)) == named("m2")
        agent.wait_for("aws.lambda")
        assert agent.paths() == {"order.ship < aws.lambda < aws.sqs": COUNT}


@pytest.mark.parametrize("way", WAYS)
def test_failures_that_the_response_names_are_counted(way: str, start: Start) -> None:
    function = start(way)
    function.invoke(messages(*ORDERS))
    function.invoke(messages(ORDERS[0]))
    assert metrics(function)["batch_item_failures"] == [1, 0]
    assert "errors" not in metrics(function)


@pytest.mark.parametrize("way", WAYS)
def test_one_failure_of_a_stream_stands_for_all_that_comes_again(way: str, start: Start) -> None:
    function, event = start(way), make_event("kinesis", *map(json.dumps, ORDERS))
    response = function.invoke(event)
    assert len(redelivered(event, response)) == 4
    assert metrics(function)["batch_item_failures"] == [1]


def test_batch_that_failed_whole_and_raised_is_an_error_and_counts_no_failures(start: Start) -> None:
    function = start("one by one")
    assert function.error(messages(ORDERS[2]))["errorType"] == "BatchProcessingError"
    found = metrics(function)
    assert "batch_item_failures" not in found
    assert found["errors"] == [1]
