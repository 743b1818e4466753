"""The poller for SQS queues."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping, Sequence
from typing import Any

from batchcore_local.errors import SettlementError
from batchcore_local.fifo import InFlight, held_for
from batchcore_local.poller import Connection, Delivery
from batchcore_local.response import Reading

MAX_BATCH = 10
"""Records of one receive, and of one delete: a limit of SQS. (Lambda joins several receives when asked for more.)"""

PAUSE_SECONDS = 0.05
"""How long to wait between two looks at a queue that has messages in flight."""


class SqsPoller:
    """Reads one queue as Lambda does.

    What failed comes back when the queue's visibility timeout ends, and goes to the dead-letter queue when the queue's
    redrive policy says so. On a FIFO queue the poller ends the visibility timeout itself, at the time at which it is
    over: where moto's server ends it, the messages of a group come back out of order.

    Args:
        connection: where SQS is.
        resource: the queue's URL.
        batch_size: the most records of one batch, 1 to 10.
        wait_seconds: how long one receive waits for a first message: 0 to 20 seconds.
    """

    def __init__(
        self, connection: Connection, resource: str, *, batch_size: int = MAX_BATCH, wait_seconds: int = 1
    ) -> None:
        if not 1 <= batch_size <= MAX_BATCH:
            raise ValueError(f"A batch size of {batch_size} is not possible here; choose 1 to {MAX_BATCH}.")
        self._sqs = connection.client("sqs")
        self._url = resource
        self._batch_size = batch_size
        self._wait_seconds = wait_seconds
        self._arn: str = self._attributes("QueueArn")["QueueArn"]
        self._in_flight = InFlight(self._sqs, self._url) if self._arn.endswith(".fifo") else None

    def receive(self) -> Delivery | None:
        """Receive up to a batch of messages. None when the queue had none to give within the waiting time."""
        messages = self._receive() if self._in_flight is None else self._receive_in_order(self._in_flight)
        if not messages:
            return None
        records = [lambda_record(message, self._arn) for message in messages]
        return Delivery(
            event={"Records": records},
            identifiers=[record["messageId"] for record in records],
            redelivered=sum(record["attributes"].get("ApproximateReceiveCount", "1") != "1" for record in records),
        )

    def settle(self, delivery: Delivery, reading: Reading) -> None:
        """Delete the messages that did not fail.

        Raises:
            SettlementError: SQS refused to delete some. They come back.
        """
        try:
            self._delete([record for record in delivery.event["Records"] if record["messageId"] not in reading.failed])
        finally:
            if self._in_flight is not None:
                self._in_flight.release()  # a function may take longer than the visibility timeout

    def _delete(self, done: Sequence[Mapping[str, Any]]) -> None:
        if not done:
            return
        deleted = self._sqs.delete_message_batch(
            QueueUrl=self._url,
            Entries=[
                {"Id": str(position), "ReceiptHandle": record["receiptHandle"]} for position, record in enumerate(done)
            ],
        )
        refused = tuple(done[int(failure["Id"])]["messageId"] for failure in deleted.get("Failed", []))
        if self._in_flight is not None:
            self._in_flight.forget(record["messageId"] for record in done if record["messageId"] not in refused)
        if refused:
            raise SettlementError(f"SQS did not delete {', '.join(refused)}.", identifiers=refused)

    def depth(self) -> int:
        """Count the messages of the queue: visible, in flight and delayed."""
        return queue_depth(self._sqs, self._url)

    def _receive(self, **parameters: int) -> list[Mapping[str, Any]]:
        received = self._sqs.receive_message(
            **{
                "QueueUrl": self._url,
                "MaxNumberOfMessages": self._batch_size,
                "WaitTimeSeconds": self._wait_seconds,
                "MessageSystemAttributeNames": ["All"],
                "MessageAttributeNames": ["All"],
                **parameters,
            }
        )
        messages: list[Mapping[str, Any]] = received.get("Messages", [])
        return messages

    def _receive_in_order(self, in_flight: InFlight) -> list[Mapping[str, Any]]:
        """Receive from a FIFO queue. While messages are in flight, look often, so that none comes back late."""
        visibility = int(self._attributes("VisibilityTimeout")["VisibilityTimeout"])
        until = time.monotonic() + self._wait_seconds
        while True:
            in_flight.release()
            looks = {"WaitTimeSeconds": 0} if in_flight else {}
            messages = self._receive(VisibilityTimeout=held_for(visibility), **looks)
            in_flight.add(messages, visibility)
            if messages or not looks or time.monotonic() >= until:
                return messages
            time.sleep(PAUSE_SECONDS)

    def _attributes(self, *names: str) -> dict[str, str]:
        attributes: dict[str, str] = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=list(names))[
            "Attributes"
        ]
        return attributes


def queue_depth(sqs: Any, url: str) -> int:
    """Count the messages a queue holds: visible, in flight and delayed.

    Args:
        sqs: a boto3 client of SQS.
        url: the queue's URL.
    """
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def lambda_record(message: Mapping[str, Any], queue_arn: str) -> dict[str, Any]:
    """Make of a message, as boto3 gives it, the record that Lambda would put into the event.

    Args:
        message: one message of ``receive_message``.
        queue_arn: the queue it came from.

    Returns:
        The record, of plain JSON values, shaped as the page *Using Lambda with Amazon SQS* of the AWS Lambda developer
        guide shows it.
    """
    record: dict[str, Any] = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {name: str(value) for name, value in message.get("Attributes", {}).items()},
        "messageAttributes": {
            name: _message_attribute(attribute) for name, attribute in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
    }
    if "MD5OfMessageAttributes" in message:
        record["md5OfMessageAttributes"] = message["MD5OfMessageAttributes"]
    record["eventSource"] = "aws:sqs"
    record["eventSourceARN"] = queue_arn
    record["awsRegion"] = queue_arn.split(":")[3]
    return record


def _message_attribute(attribute: Mapping[str, Any]) -> dict[str, Any]:
    shaped: dict[str, Any] = {}
    if "StringValue" in attribute:
        shaped["stringValue"] = attribute["StringValue"]
    if "BinaryValue" in attribute:
        shaped["binaryValue"] = _base64(attribute["BinaryValue"])
    strings: Sequence[str] = attribute.get("StringListValues", [])
    binaries: Sequence[bytes] = attribute.get("BinaryListValues", [])
    shaped["stringListValues"] = list(strings)
    shaped["binaryListValues"] = [_base64(value) for value in binaries]
    shaped["dataType"] = attribute["DataType"]
    return shaped


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
