"""Powertools' circuit breaker in handlers: what an open circuit does to the messages that meet it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

import boto3
import pytest
from aws_lambda_powertools.utilities.circuit_breaker import (
    CircuitBreakerConfig,
    CircuitBreakerOpenError,
    CircuitTransition,
    circuit_breaker,
)
from aws_lambda_powertools.utilities.circuit_breaker.persistence import CircuitBreakerDynamoDBPersistence

from batchcore import AsyncBatchProcessor, BatchProcessor, Disposition, HandlerSignatureError
from batchcore_local import EventSourceMapping, LocalFunction, find_driver
from batchcore_local.server import LocalAws
from batchcore_testing import EventSourceMapping as SimulatedMapping
from batchcore_testing import Stream

from .beside import PATIENCE, numbers, services
from .test_surroundings import answer, serving


def let_pass(table: Any, seconds: int) -> None:
    """Let time pass for the circuits that are open."""
    for circuit in table.scan()["Items"]:
        table.put_item(Item={**circuit, "opened_at": circuit["opened_at"] - seconds})


class Circuit:
    """A circuit with a service behind it, which is down until somebody mends it."""

    def __init__(self, table: Any, **options: Any) -> None:
        self.table = table
        self.is_down = True
        self.reached: list[Any] = []
        self.transitions: list[str] = []
        options = {"failure_threshold": 3, "recovery_timeout": 60, "local_cache_max_age": 0, **options}
        self.protected = circuit_breaker(
            name=f"circuit{next(services)}",
            persistence_store=CircuitBreakerDynamoDBPersistence(table_name=table.name),
            config=CircuitBreakerConfig(**options),
            on_transition=self._note,
        )
        self.call: Callable[[Any], None] = self.protected(self._call)

    def _note(self, transition: CircuitTransition) -> None:
        self.transitions.append(str(transition.to_state))

    def _call(self, order: Any) -> None:
        self.reached.append(order)
        if self.is_down:
            raise ConnectionError("the warehouse is down")

    def mend(self) -> None:
        self.is_down = False
        let_pass(self.table, seconds=61)

    def handle(self, record: Any) -> None:
        self.call(record.body)


@pytest.fixture
def circuit(table: Callable[[str], Any]) -> Circuit:
    return Circuit(table("id"))


def processor(**options: Any) -> BatchProcessor[Any]:
    return BatchProcessor("sqs", raise_on_entire_batch_failure=False, **options)


STOPS = {CircuitBreakerOpenError: Disposition.STOP_BATCH}


def test_open_circuit_fails_each_message_and_the_service_is_not_called(circuit: Circuit) -> None:
    result = processor().run(numbers(10), circuit.handle)
    assert [type(each.exception).__name__ for each in result.failures] == [
        *["ConnectionError"] * 3,
        *["CircuitBreakerOpenError"] * 7,
    ]
    assert circuit.reached == ["0", "1", "2"]
    circuit.mend()
    assert processor().run(numbers(10), circuit.handle).counts() == {"succeeded": 10}
    assert circuit.transitions == ["OPEN", "HALF_OPEN", "CLOSED"]


def test_open_circuit_may_stop_its_batch(circuit: Circuit) -> None:
    result = processor(dispositions=STOPS).run(numbers(10), circuit.handle)
    assert result.counts() == {"failed": 4, "not_attempted": 6}


def test_stream_that_stops_at_an_open_circuit_loses_nothing_and_does_nothing_twice(circuit: Circuit) -> None:
    """On a stream an attempt costs nothing, unless the mapping limits them: the checkpoint stays where it is."""
    stream = Stream("kinesis")
    stream.send(*map(str, range(30)))
    kinesis = BatchProcessor("kinesis", raise_on_entire_batch_failure=False, dispositions=STOPS)
    mapping = SimulatedMapping(stream, processor=kinesis, record_handler=circuit.call)
    for _ in range(20):
        mapping.poll()
    assert len(circuit.reached) == 3
    circuit.mend()
    mapping.drain().check()
    assert len(mapping.history.done) == 30


def test_in_threads_a_circuit_that_wants_several_probes_stays_half_open(table: Callable[[str], Any]) -> None:
    """A probe is a thread's, all probes are to be of one thread, and threads of a batch end with it."""
    circuit = Circuit(table("id"), success_threshold=3)
    side_by_side = processor(max_concurrency=4, dispositions=STOPS)
    processor().run(numbers(3), circuit.handle)
    circuit.mend()
    barrier = threading.Barrier(4, timeout=PATIENCE)

    def one_for_each_thread(record: Any) -> None:
        barrier.wait()
        circuit.handle(record)

    counts = side_by_side.run(numbers(4), one_for_each_thread).counts()
    assert counts == {"succeeded": 1, "failed": 3}
    assert circuit.transitions[-1] == "HALF_OPEN"
    assert side_by_side.run(numbers(4), one_for_each_thread).counts() == {"failed": 4}  # its owner is gone


def test_in_threads_a_circuit_that_wants_one_probe_closes(table: Callable[[str], Any]) -> None:
    circuit = Circuit(table("id"), success_threshold=1)
    side_by_side = processor(max_concurrency=4)
    processor().run(numbers(3), circuit.handle)
    circuit.mend()
    side_by_side.run(numbers(4), circuit.handle)
    assert circuit.transitions[-1] == "CLOSED"
    assert side_by_side.run(numbers(20), circuit.handle).counts() == {"succeeded": 20}


def test_circuit_round_a_coroutine_function_never_opens(circuit: Circuit) -> None:
    """What it counts is the call, which returns a coroutine; what that raises it does not see."""

    @circuit.protected
    async def ship(order: Any) -> None:
        circuit.reached.append(order)
        raise ConnectionError

    async def handler(record: Any) -> None:
        await ship(record.body)

    result = AsyncBatchProcessor("sqs", raise_on_entire_batch_failure=False, max_concurrency=1).run(
        numbers(10), handler
    )
    assert result.counts() == {"failed": 10}
    assert len(circuit.reached) == 10
    assert circuit.transitions == []


def test_circuit_round_an_async_handler_is_refused_before_the_first_record(circuit: Circuit) -> None:
    @circuit.protected
    async def handler(record: Any) -> None:
        circuit.reached.append(record)

    with pytest.raises(HandlerSignatureError, match="plain decorator"):
        AsyncBatchProcessor("sqs").run(numbers(1), handler)
    assert circuit.reached == []


def test_under_asyncio_a_plain_function_is_protected_and_called_in_a_thread(circuit: Circuit) -> None:
    async def handler(record: Any) -> None:
        await asyncio.to_thread(circuit.call, record.body)

    result = AsyncBatchProcessor("sqs", raise_on_entire_batch_failure=False, max_concurrency=1).run(
        numbers(10), handler
    )
    assert result.counts() == {"failed": 10}
    assert len(circuit.reached) == 3


# The program, between a queue, a waiting queue, a table of circuits and a warehouse.

ORDERS, REFUSED, MOST_RECEIVES = 12, 4, 2


class Warehouse(BaseHTTPRequestHandler):
    is_down = True
    shipped: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.is_down:
            answer(self, 503)
        elif order["quantity"] < 1:
            answer(self, 422)
        else:
            self.shipped.append(order["id"])
            answer(self, 201)

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def warehouse() -> Iterator[str]:
    Warehouse.is_down, Warehouse.shipped = True, []
    with serving(Warehouse) as address:
        yield f"http://{address}"


class Queues:
    """A queue that gives a message up after two receives, its dead-letter queue, and a queue to wait in."""

    def __init__(self, client: Any, circuits: Any) -> None:
        self.client = client
        self.circuits = circuits
        number = next(services)
        self.dead = self._make(f"dead{number}")
        attributes = client.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"]
        redrive = {"deadLetterTargetArn": attributes["QueueArn"], "maxReceiveCount": MOST_RECEIVES}
        self.orders = self._make(f"orders{number}", VisibilityTimeout="0", RedrivePolicy=json.dumps(redrive))
        self.waiting = self._make(f"waiting{number}", VisibilityTimeout="0", RedrivePolicy=json.dumps(redrive))

    def _make(self, name: str, **attributes: str) -> str:
        url: str = self.client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def depth(self, url: str) -> int:
        found = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(found["Attributes"]["ApproximateNumberOfMessages"])


@pytest.fixture
def queues(table: Callable[[str], Any], aws: str, warehouse: str, monkeypatch: pytest.MonkeyPatch) -> Queues:
    made = Queues(boto3.client("sqs"), table("id"))
    monkeypatch.setenv("WAITING_QUEUE_URL", made.waiting)
    monkeypatch.setenv("CIRCUITS_TABLE", made.circuits.name)
    monkeypatch.setenv("WAREHOUSE_URL", warehouse)
    for number in range(ORDERS):
        made.client.send_message(
            QueueUrl=made.orders, MessageBody=json.dumps({"id": number, "quantity": max(0, number - REFUSED + 1)})
        )
    return made


def reads(aws: str, url: str, handler: Any) -> Any:
    """Return the mapping between a queue and a function."""
    local = LocalAws(aws, "eu-west-1")
    poller = find_driver("sqs")(local, url, batch_size=10)
    return EventSourceMapping(poller, LocalFunction(handler, name="orders", environment={}))


def test_messages_that_are_retried_while_the_warehouse_is_down_are_given_up(
    load: Any, queues: Queues, aws: str
) -> None:
    program = load("beside/circuit_breaker.py")
    program.module.processor = processor()
    from_orders = reads(aws, queues.orders, program.module.lambda_handler)
    from_orders.drain()
    assert queues.depth(queues.dead) == ORDERS
    assert Warehouse.shipped == []


def test_program_lets_messages_wait_while_the_warehouse_is_down(load: Any, queues: Queues, aws: str) -> None:
    handler = load("beside/circuit_breaker.py").module.lambda_handler
    from_orders, from_waiting = reads(aws, queues.orders, handler), reads(aws, queues.waiting, handler)
    for _ in range(2 * MOST_RECEIVES + 1):
        from_orders.poll()
        from_waiting.poll()
    assert queues.depth(queues.dead) == 0
    assert queues.depth(queues.orders) + queues.depth(queues.waiting) == ORDERS
    assert Warehouse.shipped == []

    Warehouse.is_down = False
    let_pass(queues.circuits, seconds=61)
    handler = load("beside/circuit_breaker.py").module.lambda_handler  # as another environment of the function
    for url in (queues.orders, queues.waiting):
        reads(aws, url, handler).drain()
    assert sorted(Warehouse.shipped) == list(range(REFUSED, ORDERS))
    assert queues.depth(queues.dead) == REFUSED  # which opened no circuit, though they are more than it takes
