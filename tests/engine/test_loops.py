"""The event loop that async batches run on lives as long as the process."""

from __future__ import annotations

import asyncio
import gc
import os
import socketserver
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    async_process_partial_response,
)
from tests.batches import PATIENCE, awaiting, batch_of, failed, handle


def loop_of_a_batch(processor: AsyncBatchProcessor) -> asyncio.AbstractEventLoop:
    loops: list[asyncio.AbstractEventLoop] = []

    async def handler(record: Any) -> None:
        loops.append(asyncio.get_running_loop())

    assert failed(async_process_partial_response(batch_of("a"), handler, processor)) == []
    return loops[0]


def test_batches_in_turn_run_on_one_loop() -> None:
    first, second = AsyncBatchProcessor("sqs"), AsyncBatchProcessor("sqs")
    loop = loop_of_a_batch(first)
    assert loop_of_a_batch(first) is loop
    assert loop_of_a_batch(second) is loop
    assert not loop.is_closed()


def test_batch_works_after_somebodys_asyncio_run_and_that_works_after_a_batch() -> None:
    processor = AsyncBatchProcessor("sqs")
    loop = loop_of_a_batch(processor)
    for _ in range(2):
        asyncio.run(asyncio.sleep(0))
        assert loop_of_a_batch(processor) is loop


@pytest.fixture
def loop_of_the_thread() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that is set for this thread, as a module sets one that opens its clients when it is imported."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    asyncio.set_event_loop(None)
    loop.close()


def test_batch_runs_on_the_loop_that_is_set_for_its_thread(loop_of_the_thread: asyncio.AbstractEventLoop) -> None:
    processor = AsyncBatchProcessor("sqs")
    assert loop_of_a_batch(processor) is loop_of_a_batch(processor) is loop_of_the_thread


def test_client_that_was_opened_when_the_module_was_imported_works(
    loop_of_the_thread: asyncio.AbstractEventLoop,
) -> None:
    async def opened() -> Any:
        queue: asyncio.Queue[str] = asyncio.Queue()

        async def serve() -> None:
            while True:
                await queue.get()
                queue.task_done()

        return queue, asyncio.ensure_future(serve())

    queue, serving = loop_of_the_thread.run_until_complete(opened())

    async def handler(record: Any) -> None:
        await queue.put(record["body"])
        await queue.join()

    for _ in range(2):
        result = AsyncBatchProcessor("sqs").run(batch_of("a", "b", "c"), handler)
        assert failed(result.response) == []
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop_of_the_thread.run_until_complete(serving)


def test_closed_loop_of_the_thread_is_left_alone(loop_of_the_thread: asyncio.AbstractEventLoop) -> None:
    loop_of_the_thread.close()
    assert loop_of_a_batch(AsyncBatchProcessor("sqs")) is not loop_of_the_thread


def test_loop_of_another_thread_is_left_alone(loop_of_the_thread: asyncio.AbstractEventLoop) -> None:
    loops: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=lambda: loops.append(loop_of_a_batch(AsyncBatchProcessor("sqs"))))
    thread.start()
    thread.join()
    assert loops != [loop_of_the_thread]


def test_no_loop_is_set_for_a_thread_that_has_none() -> None:
    raised: list[Exception] = []

    def run() -> None:
        loop_of_a_batch(AsyncBatchProcessor("sqs"))
        try:
            asyncio.get_event_loop()
        except RuntimeError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert len(raised) == 1


def test_loop_is_nobody_elses_current_loop() -> None:
    loop_of_a_batch(AsyncBatchProcessor("sqs"))
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_lock_that_was_contended_in_one_batch_works_in_the_next() -> None:
    # A contended lock is bound to its loop: on another one it raises.
    lock = asyncio.Lock()
    inside: list[str] = []

    async def handler(record: Any) -> None:
        async with lock:
            inside.append(record["body"])
            await asyncio.sleep(0)

    processor = AsyncBatchProcessor("sqs")
    for _ in range(2):
        assert failed(async_process_partial_response(batch_of("a", "b", "c"), handler, processor)) == []
    assert inside == ["a", "b", "c"] * 2


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that gives back each line, and its address."""

    class Echo(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in self.rfile:
                self.wfile.write(line)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address: Any = server.server_address
        yield address
        server.shutdown()
        thread.join()


def test_connection_survives_from_one_batch_to_the_next(echo: tuple[str, int]) -> None:
    connections: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    responses: list[bytes] = []

    async def handler(record: Any) -> None:
        if not connections:
            connections.append(await asyncio.open_connection(*echo))
        reader, writer = connections[0]
        writer.write(record["body"].encode() + b"\n")
        responses.append(await reader.readline())

    async def close(record: Any) -> None:
        connections[0][1].close()
        await connections[0][1].wait_closed()

    processor = AsyncBatchProcessor("sqs")
    for body in ("cold", "warm"):
        assert failed(async_process_partial_response(batch_of(body), handler, processor)) == []
    assert failed(async_process_partial_response(batch_of("end"), close, processor)) == []
    assert responses == [b"cold\n", b"warm\n"]


def test_background_task_of_one_batch_goes_on_in_the_next() -> None:
    done: list[str] = []
    tasks: list[asyncio.Task[None]] = []
    go = asyncio.Event()

    async def later() -> None:
        await go.wait()
        done.append("later")

    async def start(record: Any) -> None:
        tasks.append(asyncio.create_task(later()))

    async def finish(record: Any) -> None:
        go.set()
        await tasks[0]

    processor = AsyncBatchProcessor("sqs")
    processor.run(batch_of("a"), start)
    assert done == []
    processor.run(batch_of("a"), finish)
    assert done == ["later"]


def test_threads_at_once_have_a_loop_each_and_their_own_responses() -> None:
    together = threading.Barrier(3, timeout=PATIENCE)
    loops: dict[str, asyncio.AbstractEventLoop] = {}
    responses: dict[str, list[str]] = {}
    processor = AsyncBatchProcessor("sqs")

    async def handler(record: Any) -> None:
        loops[record["body"]] = asyncio.get_running_loop()
        together.wait()  # every thread is inside its batch now
        if record["body"] == "b":
            raise ValueError

    def run(name: str) -> None:
        event = batch_of(name, "ok")
        event["Records"][0]["messageId"] = name
        responses[name] = failed(async_process_partial_response(event, wait_once(handler), processor))

    def wait_once(handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
        async def handle_first(record: Any) -> None:
            if record["body"] != "ok":
                await handler(record)

        return handle_first

    threads = [threading.Thread(target=run, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert responses == {"a": [], "b": ["b"], "c": []}
    assert len(set(map(id, loops.values()))) == 3


def test_loop_of_a_thread_is_used_again_by_another() -> None:
    processor = AsyncBatchProcessor("sqs")
    loops = [loop_of_a_batch(processor)]
    thread = threading.Thread(target=lambda: loops.append(loop_of_a_batch(processor)))
    thread.start()
    thread.join()
    assert loops[0] is loops[1]


def test_batch_inside_a_handlers_thread_gets_a_loop_of_its_own() -> None:
    outer, inner = AsyncBatchProcessor("sqs"), AsyncBatchProcessor("sqs")

    async def handler(record: Any) -> list[str]:
        return await asyncio.to_thread(
            lambda: failed(async_process_partial_response(batch_of("ok", "bad"), awaiting(handle), inner))
        )

    assert outer.run(batch_of("a", "b"), handler).return_values == [["m1"], ["m1"]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forked_child_has_loops_of_its_own_and_leaves_its_parents_alone() -> None:
    processor = AsyncBatchProcessor("sqs")

    async def handler(record: Any) -> int:
        return await asyncio.to_thread(os.getpid)  # its end wakes the loop through the loop's selector

    def pids() -> list[int]:
        return processor.run(batch_of("a"), handler).return_values

    assert pids() == [os.getpid()]
    loop = id(loop_of_a_batch(processor))  # held by nobody here, so that the child may let it go
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork while threads live, since Python 3.12
        child = os.fork()
    if child == 0:
        status = 1
        warnings.simplefilter("ignore")  # a warning that is an error would keep an unclosed loop from closing itself
        try:
            mine = loop_of_a_batch(processor)
            gc.collect()  # what the child has forgotten may not reach into the parent's selector when it goes
            os.write(writing, b"own" if id(mine) != loop else b"parent's")
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(reading, 100) == b"own"
    os.close(reading)
    ended = threading.Thread(target=lambda: results.append(pids()), daemon=True)
    results: list[list[int]] = []
    ended.start()
    ended.join(PATIENCE / 2)
    assert results == [[os.getpid()]], "the parent's loop no longer wakes up"


def test_loops_are_closed_when_the_process_ends() -> None:
    program = """
import logging
from batchcore import AsyncBatchProcessor

async def handler(record):
    pass

logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of what is slow, as all is on a busy machine
records = [{"messageId": "a", "body": "", "eventSource": "aws:sqs"}]
print(AsyncBatchProcessor("sqs").run({"Records": records}, handler).response)
"""
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-c", program], check=True, capture_output=True, text=True, encoding="utf-8"
    )
    assert ended.stdout == "{'batchItemFailures': []}\n"
    assert ended.stderr == ""
