"""The sample events, which all packages of the repository share; queues on a local server, and one that misbehaves."""

from __future__ import annotations

import json
import math
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3.session
import pytest
from botocore.config import Config
from moto.backends import get_backend

from batchcore import BatchProcessor, BatchResult
from batchcore_local import lambda_record
from batchcore_local.server import LocalAws, local_aws
from batchcore_sqs import SQSRecord

ACCOUNT = "123456789012"
EVENTS = Path(__file__).resolve().parents[3] / "tests" / "events"

Sample = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="session")
def sample() -> Sample:
    """Give the function that reads a sample event, a new one at each call."""

    def read(name: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
        return event

    return read


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """Run one local server for the tests of a file."""
    with local_aws() as connection:
        yield connection


@pytest.fixture
def sqs(aws: LocalAws) -> Any:
    return aws.client("sqs")


class Queue:
    """A queue that no other test uses, and what the server knows of its messages."""

    def __init__(self, aws: LocalAws, sqs: Any, **attributes: str) -> None:
        self.name = f"q-{uuid.uuid4()}" + (".fifo" if "FifoQueue" in attributes else "")
        self.url: str = sqs.create_queue(QueueName=self.name, Attributes={"VisibilityTimeout": "1000", **attributes})[
            "QueueUrl"
        ]
        self.arn = f"arn:aws:sqs:{aws.region}:{ACCOUNT}:{self.name}"
        self.sqs = sqs
        self._region = aws.region

    def send(self, *bodies: str, group: str | None = None) -> None:
        for body in bodies:
            ordered = {} if group is None else {"MessageGroupId": group, "MessageDeduplicationId": str(uuid.uuid4())}
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **ordered)

    def receive(self, wait: int = 0) -> dict[str, Any]:
        """Receive all there is, and make the event of it that Lambda would make."""
        records: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=0 if records else wait,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages"):
            records += [lambda_record(message, self.arn) for message in messages]
        return {"Records": records}

    def hidden(self) -> dict[str, int]:
        """Say for how many more seconds the server hides each message, by its body."""
        queue = get_backend("sqs")[ACCOUNT][self._region].queues[self.name]
        return {message.body: math.ceil(message.visible_at / 1000 - time.time()) for message in queue._messages}

    def show(self, event: dict[str, Any]) -> None:
        """Bring messages back at once."""
        for record in event["Records"]:
            self.sqs.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
            )


@pytest.fixture
def make_queue(aws: LocalAws, sqs: Any) -> Callable[..., Queue]:
    """Create a queue that hides what it delivers for 1,000 seconds, unless told otherwise."""
    return partial(Queue, aws, sqs)


@pytest.fixture
def queue(make_queue: Callable[..., Queue]) -> Queue:
    return make_queue()


@pytest.fixture
def fifo_queue(make_queue: Callable[..., Queue]) -> Queue:
    return make_queue(FifoQueue="true")


class Between:
    """A server between a client and AWS that changes what it is told to change.

    Attributes:
        url: where it listens.
        calls: the ids of the entries of each ``ChangeMessageVisibilityBatch`` that came.
        faults: what the next of these calls meet, in turn: None for nothing, a status and error code for the whole
            call, or a dictionary of entry id to code and fault of the sender.
    """

    def __init__(self, aws: LocalAws) -> None:
        self.calls: list[list[str]] = []
        self.faults: list[Any] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fault = None
                if self.headers["X-Amz-Target"] == "AmazonSQS.ChangeMessageVisibilityBatch":
                    entries = json.loads(body)["Entries"]
                    outer.calls.append([entry["Id"] for entry in entries])
                    fault = outer.faults.pop(0) if outer.faults else None
                if isinstance(fault, tuple):
                    self.respond(fault[0], {"__type": f"com.amazonaws.sqs#{fault[1]}", "message": "no"})
                    return
                refused = fault or {}
                request = json.loads(body)
                if refused:
                    request["Entries"] = [entry for entry in request["Entries"] if entry["Id"] not in refused]
                response = self.forward(request) if request.get("Entries", True) else {"Successful": [], "Failed": []}
                for entry, (code, sender_fault) in refused.items():
                    response["Failed"].append(
                        {"Id": entry, "Code": code, "SenderFault": sender_fault, "Message": "not now"}
                    )
                self.respond(200, response)

            def forward(self, request: Any) -> Any:
                headers = {name: self.headers[name] for name in ("X-Amz-Target", "Content-Type", "Authorization")}
                onward = urllib.request.Request(aws.endpoint_url, json.dumps(request).encode(), headers)
                opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                with opener.open(onward, timeout=10) as response:
                    return json.load(response)

            def respond(self, status: int, content: Any) -> None:
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Keep the screen clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def between(aws: LocalAws) -> Iterator[Between]:
    """Give a server between a client and AWS."""
    server = Between(aws)
    yield server
    server.close()


def client_at(endpoint_url: str, **config: Any) -> Any:
    """Make a client as a user might, without tries of its own."""
    return boto3.session.Session().client(
        "sqs",
        region_name="us-east-1",
        endpoint_url=endpoint_url,
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=Config(proxies={}, retries={"total_max_attempts": 1}, **config),
    )


@pytest.fixture
def make_client() -> Callable[..., Any]:
    return client_at


@pytest.fixture
def client(between: Between) -> Any:
    """A client that the server between answers."""
    return client_at(between.url)


@pytest.fixture
def environment(aws: LocalAws, between: Between, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Send clients that are made without arguments to the server between, and forget those made before."""
    for name, value in {**aws.environment(), "AWS_ENDPOINT_URL": between.url, "NO_PROXY": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("batchcore_sqs.visibility._clients", {})
    return monkeypatch


class Highest:
    """Draws the highest number there is, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, float]] = []

    def uniform(self, a: float, b: float) -> float:
        self.asked.append((a, b))
        return b


@pytest.fixture
def highest() -> Highest:
    return Highest()


def handle(record: SQSRecord) -> None:
    if record.body.startswith("bad"):
        raise ValueError(record.body)


@pytest.fixture
def process() -> Callable[..., BatchResult]:
    """Process an event; what has a body that begins with ``bad`` fails."""

    def run(event: dict[str, Any], context: Any = None, processor: Any = BatchProcessor, **options: Any) -> BatchResult:
        if processor is BatchProcessor:
            options["event_type"] = "sqs"
        made: BatchProcessor = processor(raise_on_entire_batch_failure=False, **options)
        return made.run(event, handle, context)

    return run
