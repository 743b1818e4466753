"""Two extensions of other people, alone and together: on several sources, with and without a model, sync and async."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest

from batchcore import AsyncBatchProcessor, BatchProcessor, Disposition, Outcome, hookimpl, process_partial_response
from batchcore_dynamodb import DynamoDBRecord
from batchcore_kinesis import KinesisStreamRecord
from batchcore_sqs import SQSRecord

from .support import DRIVERS, Run, failed, run, run_async, run_threads, statuses
from .third_party.large_payloads import AwaitedLargePayloads, LargePayloads, PayloadNotFetchedError
from .third_party.sns_envelopes import SnsEnvelopes

PATIENCE = 20
"""Seconds after which the store gives up waiting for a second request: the test has failed."""


# -- The payload, in records of three sources.


class Order(NamedTuple):
    """What is inside of it all."""

    order: str
    quantity: int


def sqs_record(number: int, payload: str) -> dict[str, Any]:
    return {
        "messageId": f"sqs-{number}",
        "receiptHandle": "handle",
        "body": payload,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders",
        "awsRegion": "eu-west-1",
    }


def kinesis_record(number: int, payload: str) -> dict[str, Any]:
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": f"key-{number}",
            "sequenceNumber": f"kinesis-{number}",
            "data": b64encode(payload.encode()).decode(),
            "approximateArrivalTimestamp": 1545084650.987,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000006:kinesis-{number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
        "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
    }


def dynamodb_record(number: int, payload: str) -> dict[str, Any]:
    return {
        "eventID": str(number),
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "Keys": {"id": {"S": str(number)}},
            "NewImage": {"id": {"S": str(number)}, "payload": {"S": payload}},
            "SequenceNumber": f"dynamodb-{number}",
            "SizeBytes": 26,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2024-01-01T00:00:00.000",
    }


class Source:
    """A source, as these tests need it."""

    def __init__(
        self,
        name: str,
        record: Callable[[int, str], dict[str, Any]],
        model: str,
        view: type,
        of_view: Callable[[Any], Any],
        of_model: Callable[[Any], Any],
    ) -> None:
        self.name, self.record, self.view = name, record, view
        self.of_view, self.of_model = of_view, of_model
        self._model = model

    @property
    def model(self) -> Any:
        """The model of its records. Without pydantic, a test that asks for it is skipped."""
        pytest.importorskip("pydantic")
        from . import order_models

        return getattr(order_models, self._model)

    def event(self, *payloads: str) -> dict[str, Any]:
        return {"Records": [self.record(number, payload) for number, payload in enumerate(payloads)]}


SOURCES = [
    Source("sqs", sqs_record, "OrderMessage", SQSRecord, lambda r: r.json_body, lambda m: m.body),
    Source(
        "kinesis",
        kinesis_record,
        "OrderRecord",
        KinesisStreamRecord,
        lambda r: r.kinesis.data_as_json(),
        lambda m: m.kinesis.data,
    ),
    Source(
        "dynamodb",
        dynamodb_record,
        "OrderStreamRecord",
        DynamoDBRecord,
        lambda r: json.loads(r.dynamodb.new_image["payload"]),
        lambda m: m.dynamodb.NewImage.payload,
    ),
]


@pytest.fixture(params=SOURCES, ids=lambda source: str(source.name))
def source(request: pytest.FixtureRequest) -> Source:
    """Each of three sources."""
    chosen: Source = request.param
    return chosen


@pytest.fixture(params=[False, True], ids=["view", "model"])
def modelled(request: pytest.FixtureRequest) -> bool:
    """Without a model, and with one."""
    chosen: bool = request.param
    return chosen


def order(number: int) -> str:
    return json.dumps({"order": f"order-{number}", "quantity": number})


def enveloped(message: str) -> str:
    return json.dumps({"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:a", "Message": message})


class Orders:
    """A record handler that reads an order from a record, and refuses quantities of 7."""

    def __init__(self, source: Source, modelled: bool) -> None:
        self.source, self.modelled = source, modelled

    def __call__(self, record: Any) -> str:
        if self.modelled:
            assert isinstance(record, self.source.model)
            found = self.source.of_model(record)
        else:
            assert isinstance(record, self.source.view)
            found = Order(**self.source.of_view(record))
        if found.quantity == 7:
            raise ValueError("too many")
        return found.order


def processed(
    run: Run, source: Source, modelled: bool, payloads: list[str], *plugins: object, **options: Any
) -> tuple[list[str], list[str]]:
    """Process orders, and give the names of the good ones and the identifiers of the others."""
    model = source.model if modelled else None
    result = run(
        source.name, source.event(*payloads), Orders(source, modelled), model=model, plugins=plugins, **options
    )
    assert [outcome.record for outcome in result.outcomes] == source.event(*payloads)["Records"], "the raw records"
    return result.return_values, failed(result)


# -- The store of large payloads: a server on this machine.


class Store:
    """Gives the payloads that were put into it.

    Attributes:
        address: where it listens.
        meeting: where requests for ``/together/...`` wait for one another.
    """

    def __init__(self) -> None:
        self.payloads: dict[str, str] = {}
        self.meeting = threading.Barrier(2)
        store = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.startswith("/together/"):
                    store.meeting.wait(PATIENCE)
                payload = store.payloads.get(self.path)
                body = (payload or "").encode()
                self.send_response(404 if payload is None else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.server.daemon_threads = False
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def put(self, path: str, payload: str) -> str:
        """Keep a payload, and give the reference to it."""
        self.payloads[path] = payload
        return self.reference(path)

    def reference(self, path: str) -> str:
        """Give the reference to a path, whether there is something or not."""
        return json.dumps({"payload_at": f"{self.address}{path}"})


@pytest.fixture
def store() -> Iterator[Store]:
    """A store that is there for one test."""
    opened = Store()
    thread = threading.Thread(target=opened.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield opened
    opened.server.shutdown()
    opened.server.server_close()
    thread.join()


# -- Envelopes.


def test_envelopes_are_opened_inside_the_record(source: Source, modelled: bool, driver: Run) -> None:
    payloads = [enveloped(order(1)), order(2), enveloped(order(7)), enveloped(order(3))]

    good, bad = processed(driver, source, modelled, payloads, SnsEnvelopes())

    assert good == ["order-1", "order-2", "order-3"]
    assert bad == [f"{source.name}-2"]


def test_without_the_extension_the_envelope_is_what_the_handler_gets(
    source: Source, modelled: bool, driver: Run
) -> None:
    good, bad = processed(driver, source, modelled, [enveloped(order(1)), order(2)])

    assert good == ["order-2"]
    assert bad == [f"{source.name}-0"]


@pytest.mark.parametrize("broken", ["no JSON", '{"Type": "Notification"}'])
def test_an_envelope_that_cannot_be_opened_costs_one_record(
    source: Source, modelled: bool, driver: Run, broken: str
) -> None:
    good, bad = processed(driver, source, modelled, [order(1), broken, order(2)], SnsEnvelopes())

    assert good == ["order-1", "order-2"]
    assert bad == [f"{source.name}-1"]


def test_an_envelope_of_aws_is_opened(sample: Any, driver: Run) -> None:
    result = driver("sqs", sample("snsSqsEvent"), lambda record: record.json_body, plugins=[SnsEnvelopes()])

    assert result.return_values == [{"message": "hello world", "username": "lessa"}]


# -- Large payloads.


def test_large_payloads_are_fetched_inside_the_record(
    source: Source, modelled: bool, driver: Run, store: Store
) -> None:
    payloads = [store.put("/1", order(1)), order(2), store.put("/7", order(7)), store.put("/3", order(3))]

    good, bad = processed(driver, source, modelled, payloads, LargePayloads())

    assert good == ["order-1", "order-2", "order-3"]
    assert bad == [f"{source.name}-2"]


def test_one_failing_fetch_costs_one_record(source: Source, modelled: bool, driver: Run, store: Store) -> None:
    payloads = [store.put("/1", order(1)), store.reference("/lost"), store.put("/3", order(3))]

    good, bad = processed(driver, source, modelled, payloads, LargePayloads())

    assert good == ["order-1", "order-3"]
    assert bad == [f"{source.name}-1"]


def test_a_store_that_is_not_there_costs_the_records_that_need_it(
    source: Source, modelled: bool, driver: Run, unused_port: int
) -> None:
    lost = json.dumps({"payload_at": f"http://127.0.0.1:{unused_port}/1"})

    good, bad = processed(driver, source, modelled, [order(1), lost, order(2)], LargePayloads())

    assert good == ["order-1", "order-2"]
    assert bad == [f"{source.name}-1"]


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port of this machine that refuses connections: bound, and nobody listens."""
    import socket

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        yield port


def test_a_fetched_payload_that_is_no_order_costs_one_record(
    source: Source, modelled: bool, driver: Run, store: Store
) -> None:
    payloads = [store.put("/1", order(1)), store.put("/2", '{"order": 1}'), store.put("/3", order(3))]

    good, bad = processed(driver, source, modelled, payloads, LargePayloads())

    assert good == ["order-1", "order-3"]
    assert bad == [f"{source.name}-1"]


@pytest.mark.parametrize("extension", [LargePayloads, AwaitedLargePayloads])
def test_the_exception_of_a_failing_fetch_is_the_records(extension: type, store: Store) -> None:
    result = run_async("sqs", SOURCES[0].event(store.reference("/lost")), id, plugins=[extension()])

    assert isinstance(result.outcomes[0].exception, PayloadNotFetchedError)
    assert str(result.outcomes[0].exception) == "The store answered 404."


def test_a_failing_fetch_is_shown_as_the_raw_record(store: Store) -> None:
    shown: list[Any] = []

    class Shows(BatchProcessor):
        def failure_handler(self, record: Any, exception: Any) -> Any:
            shown.append((type(record), record == event["Records"][0], exception[0]))
            return super().failure_handler(record, exception)

    event = SOURCES[0].event(store.reference("/lost"), order(1))

    process_partial_response(event, len, Shows("sqs", plugins=[LargePayloads()]))

    assert shown == [(SQSRecord, True, PayloadNotFetchedError)]


def test_a_failing_fetch_stops_the_lane_of_a_queue_in_order(driver: Run, store: Store) -> None:
    event = SOURCES[0].event(store.put("/1", order(1)), store.reference("/lost"), store.put("/3", order(3)))
    for record in event["Records"]:
        record["eventSourceARN"] += ".fifo"

    result = driver("sqs", event, lambda record: record.json_body["order"], plugins=[LargePayloads()])

    assert result.return_values == ["order-1"]
    assert statuses(result) == ["succeeded", "failed", "not_attempted"]


# -- Large payloads, awaited.


def test_large_payloads_are_awaited_inside_the_record(source: Source, modelled: bool, store: Store) -> None:
    payloads = [store.put("/1", order(1)), order(2), store.reference("/lost"), store.put("/7", order(7))]

    good, bad = processed(run_async, source, modelled, payloads, AwaitedLargePayloads())

    assert good == ["order-1", "order-2"]
    assert bad == [f"{source.name}-2", f"{source.name}-3"]


def test_records_wait_for_their_payloads_side_by_side(source: Source, modelled: bool, store: Store) -> None:
    payloads = [store.put("/together/1", order(1)), store.put("/together/2", order(2))]

    good, bad = processed(run_async, source, modelled, payloads, AwaitedLargePayloads(PATIENCE))

    assert (good, bad) == (["order-1", "order-2"], []), "each of the two was answered only while the other one waited"


def test_threads_fetch_side_by_side_too(source: Source, modelled: bool, store: Store) -> None:
    payloads = [store.put("/together/1", order(1)), store.put("/together/2", order(2))]

    good, bad = processed(run_threads, source, modelled, payloads, LargePayloads(PATIENCE))

    assert (good, bad) == (["order-1", "order-2"], [])


@pytest.mark.parametrize("driver", [run, run_threads])
def test_an_awaited_preparer_under_a_synchronous_processor_fails_its_records(driver: Run, store: Store) -> None:
    result = driver("sqs", SOURCES[0].event(order(1)), len, plugins=[AwaitedLargePayloads()])

    assert failed(result) == ["sqs-0"]
    assert "AsyncBatchProcessor" in str(result.outcomes[0].exception)


# -- Both together.


def both(awaited: bool, *, envelope_first: bool) -> list[object]:
    """Give both extensions in an order: the first named acts first on the record."""
    fetches = AwaitedLargePayloads() if awaited else LargePayloads()
    return [SnsEnvelopes(), fetches] if envelope_first else [fetches, SnsEnvelopes()]


TOGETHER = [(driver, awaited) for driver in DRIVERS for awaited in (False, True) if driver is run_async or not awaited]


@pytest.mark.parametrize(("driver", "awaited"), TOGETHER)
def test_a_reference_inside_an_envelope_is_fetched(
    driver: Run, awaited: bool, source: Source, modelled: bool, store: Store
) -> None:
    lost = enveloped(store.reference("/lost"))
    payloads = [enveloped(store.put("/1", order(1))), lost, enveloped(order(2)), store.put("/3", order(3))]

    good, bad = processed(driver, source, modelled, payloads, *both(awaited, envelope_first=True))

    assert good == ["order-1", "order-2", "order-3"]
    assert bad == [f"{source.name}-1"]


@pytest.mark.parametrize(("driver", "awaited"), TOGETHER)
def test_an_envelope_that_is_fetched_is_opened(
    driver: Run, awaited: bool, source: Source, modelled: bool, store: Store
) -> None:
    lost = store.reference("/lost")
    payloads = [store.put("/1", enveloped(order(1))), lost, enveloped(order(2)), store.put("/3", order(3))]

    good, bad = processed(driver, source, modelled, payloads, *both(awaited, envelope_first=False))

    assert good == ["order-1", "order-2", "order-3"]
    assert bad == [f"{source.name}-1"]


def test_extensions_work_beside_observers_retries_and_dead_letters(driver: Run, store: Store) -> None:
    told: list[Any] = []

    class Everything:
        @hookimpl
        def record_finished(self, outcome: Outcome) -> None:
            told.append((outcome.identifier, outcome.status))

        @hookimpl
        def deliver_dead_letter(self, outcome: Outcome) -> None:
            told.append(("delivered", outcome.record["body"]))

        @hookimpl
        def wrap_handler(self, handler: Any) -> Any:
            return lambda record: handler(record).upper()

    payloads = [enveloped(store.put("/1", order(1))), store.reference("/lost")]
    result = driver(
        "sqs",
        SOURCES[0].event(*payloads),
        lambda record: record.json_body["order"],
        plugins=[*both(awaited=False, envelope_first=True), Everything()],
        dispositions={PayloadNotFetchedError: Disposition.DEAD_LETTER},
    )

    assert failed(result) == []
    assert result.return_values == ["ORDER-1"]
    assert sorted(told) == [("delivered", payloads[1]), ("sqs-0", "succeeded"), ("sqs-1", "dead_lettered")]


def test_extensions_find_their_source_from_the_event_too(source: Source, store: Store) -> None:
    processor = BatchProcessor(plugins=both(awaited=False, envelope_first=True))
    event = source.event(enveloped(store.put("/1", order(1))), enveloped(store.reference("/lost")))

    result = processor.run(event, Orders(source, modelled=False))

    assert result.return_values == ["order-1"]
    assert failed(result) == [f"{source.name}-1"]


def test_extensions_prepare_under_the_context_manager_too(source: Source, store: Store) -> None:
    event = source.event(enveloped(store.put("/1", order(1))), enveloped(store.reference("/lost")))
    processor = AsyncBatchProcessor(source.name, plugins=both(awaited=True, envelope_first=True))

    with processor(records=event["Records"], handler=Orders(source, modelled=False)):
        entries = processor.async_process()

    assert [entry[0] for entry in entries] == ["success", "fail"]
    assert processor.response() == {"batchItemFailures": [{"itemIdentifier": f"{source.name}-1"}]}


def test_a_payload_that_is_no_model_is_a_validation_error(source: Source, store: Store) -> None:
    result = run(
        source.name, source.event(store.put("/1", '{"order": 1}')), id, model=source.model, plugins=[LargePayloads()]
    )

    assert isinstance(result.outcomes[0].exception, pytest.importorskip("pydantic").ValidationError)
