"""Powertools' Tracer and the X-Ray SDK in handlers, in AWS's own runtime client, and what reaches the X-Ray daemon."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.function import LambdaFunction

from .beside import BESIDE, PATIENCE, ROOT, TRACE, WAYS, environment, messages, named

PARENT = TRACE.partition("Parent=")[2].partition(";")[0]
COUNT = 10
ORDERS = [{"id": f"o{at}", "quantity": int(at != 2), "takes_s": 0.01 * (at % 3)} for at in range(COUNT)]


class Daemon:
    """Plays the X-Ray daemon: takes what the SDK sends, each segment a datagram with subsegments in it."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.received: list[dict[str, Any]] = []

    def read(self, until: str) -> None:
        """Read until a segment of this name has come, which is sent last."""
        self._socket.settimeout(PATIENCE)
        while True:
            header, _, document = self._socket.recv(65_536).partition(b"\n")
            assert json.loads(header) == {"format": "json", "version": 1}
            self._add(json.loads(document), json.loads(document).get("parent_id"))
            if self.received[-1]["name"] == until or any(each["name"] == until for each in self.received):
                return

    def _add(self, segment: dict[str, Any], parent: str | None) -> None:
        self.received.append({**segment, "parent": parent})
        for inner in segment.get("subsegments", ()):
            self._add(inner, segment["id"])

    def paths(self) -> Counter[str]:
        """Count the segments by the names above them, the innermost first."""
        by_id = {segment["id"]: segment for segment in self.received}

        def path(segment: dict[str, Any]) -> str:
            name = segment["name"].removeprefix("## ").rpartition(".")[2]
            parent = segment["parent"]
            return f"{name} < {path(by_id[parent]) if parent in by_id else parent}"

        return Counter(map(path, self.received))

    def named(self, name: str) -> list[dict[str, Any]]:
        return [segment for segment in self.received if segment["name"].endswith(name)]

    def read_all(self) -> None:
        """Read what has come."""
        self._socket.setblocking(False)
        with suppress(BlockingIOError):
            while self._socket.recv(65_536):
                pass

    def nothing_has_come(self) -> None:
        self._socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            self._socket.recv(65_536)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    playing = Daemon()
    yield playing
    playing.close()


APP = """
import asyncio, os, time
from aws_lambda_powertools import Tracer
from batchcore import AsyncBatchProcessor, BatchProcessor, async_process_partial_response, process_partial_response
from aws_xray_sdk.core import xray_recorder
import batchcore_sqs

if os.environ["CONTEXT"] == "TaskContext":
    import tracer as example  # which configures it
if os.environ["CONTEXT"] == "AsyncContext":
    from aws_xray_sdk.core.async_context import AsyncContext
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    xray_recorder.configure(context=AsyncContext(context_missing="LOG_ERROR", loop=loop))
WAY, options = os.environ["WAY"], {"stop_before_timeout": 1.0}
tracer = Tracer(auto_patch=False)
processor = {
    "one by one": lambda: BatchProcessor("sqs"),
    "threads": lambda: BatchProcessor("sqs", max_concurrency=8, **options),
    "asyncio": lambda: AsyncBatchProcessor("sqs", max_concurrency=int(os.environ.get("MOST", 8)), **options),
}[WAY]()

def ends(order):
    tracer.put_annotation("order", order["id"])
    if order["quantity"] < 1:
        raise ValueError("nothing is ordered")

@tracer.capture_method
def ship(order):
    time.sleep(order["takes_s"])
    ends(order)

@tracer.capture_method
def record_handler(record):
    ship(record.json_body)
    tracer.put_annotation("message", record.message_id)
    return record.message_id

@tracer.capture_method
async def ship_async(order):
    await asyncio.sleep(order["takes_s"])
    ends(order)

@tracer.capture_method
async def record_handler_async(record):
    await ship_async(record.json_body)
    tracer.put_annotation("message", record.message_id)
    return record.message_id

@tracer.capture_lambda_handler
def lambda_handler(event, context):
    if event.get("leaves one open"):
        xray_recorder.begin_subsegment("left open")
    if WAY == "asyncio":
        return async_process_partial_response(event, record_handler_async, processor, context)
    return process_partial_response(event, record_handler, processor, context)
"""

Start = Callable[..., LambdaFunction]


@pytest.fixture
def start(tmp_path: Path, daemon: Daemon) -> Iterator[Start]:
    """Start a traced function in AWS's runtime client: that above, or the program of the examples."""
    started: list[LambdaFunction] = []
    (tmp_path / "app.py").write_text(APP)

    def start(way: str, context: str, trace: str = TRACE, handler: str = "app.lambda_handler", **more: str) -> Any:
        variables = environment(
            AWS_XRAY_DAEMON_ADDRESS=daemon.address,
            AWS_XRAY_CONTEXT_MISSING="RUNTIME_ERROR",
            POWERTOOLS_SERVICE_NAME="orders",
            WAY=way,
            CONTEXT=context,
            **more,
        )
        variables["PYTHONPATH"] = os.pathsep.join([str(BESIDE), variables["PYTHONPATH"]])
        started.append(LambdaFunction(handler, tmp_path, sys.executable, base_environment=variables, trace=trace))
        return started[-1]

    yield start
    for function in started:
        function.close()


def traced(function: LambdaFunction, daemon: Daemon, event: Any) -> Any:
    """Invoke a function, and read what it has sent until the segment of its handler has come."""
    daemon.received.clear()
    response = function.invoke(event)
    daemon.read(until="## lambda_handler")
    return response


def under(parent: str, suffix: str = "") -> dict[str, int]:
    """Return the segments of a batch whose handlers stand under what is named."""
    return {
        f"ship{suffix} < record_handler{suffix} < {parent}": COUNT,
        f"record_handler{suffix} < {parent}": COUNT,
        f"lambda_handler < {PARENT}": 1,
    }


def annotations_are_of_their_own_records(daemon: Daemon, suffix: str = "") -> None:
    handlers = {each["id"]: each for each in daemon.named(f"record_handler{suffix}")}
    for ship in daemon.named(f"ship{suffix}"):
        order = ship["annotations"]["order"]
        message = handlers[ship["parent"]].get("annotations", {}).get("message")
        assert message == (None if order == "o2" else order.replace("o", "m"))


def test_program_traces_each_message_under_its_function(start: Start, daemon: Daemon) -> None:
    function = start("", "", handler="tracer.lambda_handler")
    for _ in range(2):  # cold and warm
        assert traced(function, daemon, messages(*ORDERS)) == named("m2")
        assert daemon.paths() == under(f"lambda_handler < {PARENT}")
        annotations_are_of_their_own_records(daemon)
        assert {each["trace_id"] for each in daemon.received} == {TRACE[5:40]}
        assert [each["name"] for each in daemon.received if each.get("fault")] == [
            each["name"] for each in (*daemon.named("ship")[:1], *daemon.named("record_handler")[:1])
        ]


@pytest.mark.parametrize("way", WAYS)
def test_context_of_the_program_is_right_in_every_way(way: str, start: Start, daemon: Daemon) -> None:
    suffix = "_async" if way == "asyncio" else ""
    assert traced(start(way, "TaskContext"), daemon, messages(*ORDERS)) == named("m2")
    assert daemon.paths() == under(f"lambda_handler < {PARENT}", suffix)
    annotations_are_of_their_own_records(daemon, suffix)


def test_one_by_one_the_sdks_own_context_puts_handlers_under_that_of_the_function(start: Start, daemon: Daemon) -> None:
    assert traced(start("one by one", "SDK"), daemon, messages(*ORDERS)) == named("m2")
    assert daemon.paths() == under(f"lambda_handler < {PARENT}")


def test_in_threads_the_sdks_own_context_puts_handlers_beside_that_of_the_function(
    start: Start, daemon: Daemon
) -> None:
    assert traced(start("threads", "SDK"), daemon, messages(*ORDERS)) == named("m2")
    assert daemon.paths() == under(PARENT)
    annotations_are_of_their_own_records(daemon)


def test_as_tasks_with_the_sdks_own_context_good_records_fail_of_their_tracing(start: Start) -> None:
    response = start("asyncio", "SDK").invoke(messages(*ORDERS))
    failed = {each["itemIdentifier"] for each in response["batchItemFailures"]}
    assert failed > {"m2"}


def test_the_sdks_context_for_tasks_fails_the_function_in_lambda(start: Start) -> None:
    function = start("asyncio", "AsyncContext")
    assert function.error(messages(*ORDERS))["errorType"] == "SegmentNotFoundException"


def test_one_task_at_a_time_is_right_with_the_sdks_own_context(start: Start, daemon: Daemon) -> None:
    assert traced(start("asyncio", "SDK", MOST="1"), daemon, messages(*ORDERS)) == named("m2")
    assert daemon.paths() == under(f"lambda_handler < {PARENT}", "_async")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("trace", [TRACE.replace("Sampled=1", "Sampled=0"), "Root=1-5759e988-bd862e3fe1be46a994272793"])
def test_what_is_not_sampled_fails_nothing_and_sends_nothing(
    way: str, trace: str, start: Start, daemon: Daemon
) -> None:
    assert start(way, "TaskContext", trace=trace).invoke(messages(*ORDERS)) == named("m2")
    daemon.nothing_has_come()


def test_handler_that_outlives_its_invocation_traces_nothing_into_the_next(start: Start, daemon: Daemon) -> None:
    function = start("threads", "TaskContext")
    slow = [{"id": "slow", "quantity": 1, "takes_s": 1.5}, *ORDERS[:1]]
    assert function.invoke(messages(*slow), remaining_ms=1_500) == named("m0")
    # The next invocation has a trace of its own.
    function.trace(TRACE.replace("5759e988", "5759e989"))
    assert traced(function, daemon, messages(*ORDERS)) == named("m2")
    later = [each for each in daemon.received if each["trace_id"].startswith("1-5759e989")]
    assert Counter(each["name"].rpartition(".")[2] for each in later) == {
        "ship": COUNT, "record_handler": COUNT, "## lambda_handler": 1,
    }  # fmt: skip


def test_subsegment_that_an_invocation_leaves_open_takes_nothing_of_the_next(start: Start, daemon: Daemon) -> None:
    function = start("one by one", "TaskContext")
    function.invoke({**messages(*ORDERS), "leaves one open": True})
    function.trace(TRACE.replace("5759e988", "5759e989"))
    daemon.read_all()
    assert traced(function, daemon, messages(*ORDERS)) == named("m2")
    assert daemon.paths() == under(f"lambda_handler < {PARENT}")
    assert {each["trace_id"][:10] for each in daemon.received} == {"1-5759e989"}


OUTSIDE = """
import sys
from aws_xray_sdk.core import xray_recorder
from tests.documentation.examples.beside import numbers, run

xray_recorder.configure(sampling=False, service="orders")

def steps(record):
    yield
    with xray_recorder.in_subsegment("ship"):
        pass

with xray_recorder.in_segment("function"):
    print(run(sys.argv[1], steps, numbers(4)).counts())
"""


@pytest.mark.parametrize(
    ("way", "missing", "counts"),
    [
        ("one by one", "RUNTIME_ERROR", {"succeeded": 4}),
        ("threads", "RUNTIME_ERROR", {"failed": 4}),
        ("threads", "LOG_ERROR", {"succeeded": 4}),
        ("asyncio", "RUNTIME_ERROR", {"succeeded": 4}),
    ],
)
def test_outside_of_lambda_a_missing_segment_fails_records_in_threads_where_one_asks_for_that(
    way: str, missing: str, counts: dict[str, int]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OUTSIDE, way],
        env=environment(AWS_XRAY_CONTEXT_MISSING=missing),
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == str(counts)


@pytest.mark.parametrize("way", WAYS)
def test_tracer_is_off_outside_of_lambda_and_fails_nothing(way: str, tmp_path: Path, daemon: Daemon) -> None:
    call = """if True:
        import json, sys, app
        class Context:
            def get_remaining_time_in_millis(self):
                return 60_000
        print(json.dumps(app.lambda_handler(json.load(sys.stdin), Context())))
    """
    (tmp_path / "app.py").write_text(APP)
    done = subprocess.run(
        [sys.executable, "-c", call],
        env=environment(
            WAY=way, CONTEXT="SDK", AWS_XRAY_DAEMON_ADDRESS=daemon.address, AWS_XRAY_CONTEXT_MISSING="RUNTIME_ERROR"
        ),
        input=json.dumps(messages(*ORDERS)), cwd=tmp_path, capture_output=True, text=True, check=True, timeout=PATIENCE,
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1]) == named("m2")
    daemon.nothing_has_come()


def test_page_shows_the_context_as_the_program_has_it() -> None:
    source = (BESIDE / "tracer.py").read_text()
    shown = source[source.index("class TaskContext") : source.index("tracer = Tracer()")].strip()
    page = (ROOT / "docs" / "beside.md").read_text()
    assert shown in page
