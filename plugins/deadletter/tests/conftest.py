"""A local server, targets on it, records that failed, and a proxy that misbehaves in front of the server."""

from __future__ import annotations

import http.client
import json
import logging
import re
import threading
import urllib.parse
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest

from batchcore import Batch, BatchProcessor, Message, Outcome, hookimpl
from batchcore_deadletter import SQSDeadLetters
from batchcore_local.server import LocalAws, local_aws

PATIENCE = 20
BATCHES = ("SendMessageBatch", "PublishBatch")


class Letters:
    """A source whose records say of themselves what message they were."""

    name = "letters"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and "letters" in event

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Any]:
        letters: list[Any] = event["letters"]
        return letters

    @hookimpl
    def identify_records(self, records: Sequence[Any]) -> Sequence[Any]:
        return [record["id"] for record in records]

    @hookimpl
    def original_message(self, record: Any) -> Message:
        if "unreadable" in record:
            raise LookupError(record["unreadable"])
        return Message(record["body"], record.get("attributes"), record.get("group"), record.get("trace_header"))


def letter(identifier: Any = "m1", body: Any = "hello", **fields: Any) -> dict[str, Any]:
    return {"id": identifier, "body": body, **fields}


class Failed(NamedTuple):
    """Records that failed."""

    outcomes: list[Outcome]
    batch: Batch


def fail(*records: Any, error: BaseException | None = None, source: Any = None, event: Any = None) -> Failed:
    """Let all records of a batch fail, for real."""
    raised = ValueError("no such customer") if error is None else error

    def handler(record: Any) -> None:
        raise raised

    # Nothing is logged: pytest cannot pass on a text that is no Unicode, and some of these are none.
    logger = logging.Logger("nobody")  # noqa: LOG001 - in no hierarchy, where pytest would find it
    logger.disabled = True
    processor = BatchProcessor(source or Letters(), raise_on_entire_batch_failure=False, logger=logger)
    outcomes = processor.run(event or {"letters": list(records)}, handler).outcomes
    return Failed(list(outcomes), outcomes.batch)


@pytest.fixture(scope="session")
def letters() -> Callable[..., Any]:
    return Letters


@pytest.fixture(scope="session")
def make_letter() -> Callable[..., dict[str, Any]]:
    return letter


@pytest.fixture(scope="session")
def failed() -> Callable[..., Failed]:
    return fail


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with local_aws() as connection:
        yield connection


@pytest.fixture(autouse=True)
def _environment(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send the clients that a deliverer makes to the local server."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def sqs(aws: LocalAws) -> Any:
    return aws.client("sqs")


@pytest.fixture
def make_queue(sqs: Any) -> Callable[..., str]:
    """Create a queue, and give its URL."""

    def make(suffix: str = "") -> str:
        attributes = {"FifoQueue": "true"} if suffix else {}
        url: str = sqs.create_queue(QueueName=f"q-{uuid.uuid4()}{suffix}", Attributes=attributes)["QueueUrl"]
        return url

    return make


@pytest.fixture
def make_topic(aws: LocalAws, sqs: Any, make_queue: Callable[..., str]) -> Callable[..., tuple[str, str]]:
    """Create a topic to which a queue subscribes, and give the topic's ARN and the queue's URL."""
    sns = aws.client("sns")

    def make(suffix: str = "", *, raw: bool = True) -> tuple[str, str]:
        attributes = {"FifoTopic": "true"} if suffix else {}
        topic: str = sns.create_topic(Name=f"t-{uuid.uuid4()}{suffix}", Attributes=attributes)["TopicArn"]
        url = make_queue(suffix)
        queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        settings = {"RawMessageDelivery": "true"} if raw else {}
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes=settings)
        return topic, url

    return make


@pytest.fixture
def arrived(sqs: Any) -> Callable[[str], list[dict[str, Any]]]:
    """Give the function that takes all messages out of a queue, ordered by their bodies."""

    def receive(url: str) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        while True:
            received = sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            ).get("Messages")
            if not received:
                return sorted(messages, key=lambda message: str(message["Body"]))
            messages += received
            for message in received:  # a group of a FIFO queue gives no more while one is in flight
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    return receive


@pytest.fixture
def reason(
    make_queue: Callable[..., str], arrived: Callable[[str], list[dict[str, Any]]]
) -> Callable[[BaseException], str]:
    """Return the function that lets a record fail with an exception, and reads the reason that arrives."""

    def read(error: BaseException) -> str:
        url = make_queue()
        records = fail(letter(), error=error)
        SQSDeadLetters(url).deliver_dead_letter(records.outcomes[0], records.batch)
        (message,) = arrived(url)
        text: str = message["MessageAttributes"]["DeadLetterReason"]["StringValue"]
        return text

    return read


class Request(NamedTuple):
    """A request for a batch, as the proxy saw it.

    Attributes:
        operation: what was called.
        region: the region it was signed for.
        entries: how many messages it had.
        sent: the messages, as they were sent, where the service speaks JSON.
    """

    operation: str
    region: str
    entries: int
    sent: list[dict[str, Any]]


Response = tuple[int, dict[str, str], bytes]


class Proxy:
    """Stands in front of a server and does to each request for a batch what the next fault says; none: nothing.

    A fault is a function of the function that forwards the request; it gives the response, or None for none at all.
    """

    def __init__(self, upstream: str) -> None:
        self.faults: deque[Callable[[Callable[[], Response]], Response | None]] = deque()
        self.always: Callable[[Callable[[], Response]], Response | None] | None = None
        self.requests: list[Request] = []
        self.ended = threading.Event()
        proxy = self
        address = urllib.parse.urlsplit(upstream).netloc

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2] or _action(body)

                def forward() -> Response:
                    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
                    try:
                        connection.request("POST", self.path, body, dict(self.headers))
                        response = connection.getresponse()
                        kept = {
                            name: value
                            for name, value in response.getheaders()
                            if name.lower() not in ("content-length", "connection", "server", "date")
                        }
                        return response.status, kept, response.read()
                    finally:
                        connection.close()

                response: Response | None
                if operation in BATCHES:
                    region = self.headers["Authorization"].split("/")[2]
                    proxy.requests.append(Request(operation, region, _entries(body), _sent(body)))
                    fault = proxy.faults.popleft() if proxy.faults else proxy.always
                    response = forward() if fault is None else fault(forward)
                else:
                    response = forward()
                if response is None:
                    proxy.ended.wait(PATIENCE)
                    self.close_connection = True
                    return
                status, headers, content = response
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                """Keep the screen free."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hung up is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._thread.join(PATIENCE)
        self._server.server_close()


def _action(body: bytes) -> str:
    return urllib.parse.parse_qs(body.decode()).get("Action", [""])[0]


def _entries(body: bytes) -> int:
    return len(_sent(body)) or len(re.findall(r"member\.\d+\.Id=", body.decode()))


def _sent(body: bytes) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(body)["Entries"] if body.startswith(b"{") else []
    return entries


@pytest.fixture
def proxy(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Put a proxy between the clients of a deliverer and the local server."""
    running = Proxy(aws.endpoint_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
    yield running
    running.close()
