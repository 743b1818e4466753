"""Events for sources that are wrong: a function of n for each kind."""

from __future__ import annotations

import base64
import json
from typing import Any

from batchcore_testing import event_from, make_record


def _body(number: int) -> str:
    return json.dumps({"order": number, "customer": "ab"[number % 2]})


def _record(source: str, number: int, resource: str, key: str | None = None, **fields: Any) -> Any:
    sent: dict[str, Any] = {"number": number + 1, "sequence": number + 1, "resource": resource}
    if key is not None:
        sent["key"] = key
    return make_record(source, _body(number), sent=sent, **fields)


def sqs_event(n: int) -> Any:
    """A standard queue."""
    return event_from("sqs", [_record("sqs", number, "orders") for number in range(n)])


def fifo_event(n: int) -> Any:
    """A FIFO queue with two message groups, alternating."""
    keys = ("group-a", "group-b")
    return event_from("sqs", [_record("sqs", number, "orders.fifo", keys[number % 2]) for number in range(n)])


def attributes_event(n: int) -> Any:
    """A standard queue whose messages have attributes."""
    event = sqs_event(n)
    for record in event["Records"]:
        lists = {"stringListValues": [], "binaryListValues": []}
        record["messageAttributes"] = {
            "kind": {"stringValue": "order", "dataType": "String", **lists},
            "digest": {"binaryValue": "/wD+", "dataType": "Binary", **lists},
        }
    return event


def kinesis_event(n: int) -> Any:
    """A shard with two partition keys, alternating."""
    keys = ("customer-b", "customer-a")
    return event_from("kinesis", [_record("kinesis", number, "orders", keys[number % 2]) for number in range(n)])


def kinesis_event_of_two_lengths(n: int) -> Any:
    """As above; the sequence numbers grow by a digit with the third record."""
    event = kinesis_event(n)
    for number, record in enumerate(event["Records"]):
        sequence_number = str(10**55 - 2 + number)
        record["kinesis"]["sequenceNumber"] = sequence_number
        record["eventID"] = f"shardId-000000000000:{sequence_number}"
    return event


def kinesis_binary_event(n: int) -> Any:
    """As above; the data is binary, and not UTF-8."""
    event = kinesis_event(n)
    for number, record in enumerate(event["Records"]):
        record["kinesis"]["data"] = base64.b64encode(bytes([0x08, 0x80 + number % 64, 0xFF])).decode()
    return event


def _windowed(event: Any, arn: str) -> Any:
    return {
        **event,
        "window": {"start": "2026-10-01T07:04:00Z", "end": "2026-10-01T07:06:00Z"},
        "state": {"count": 5},
        "shardId": "shardId-000000000006",
        "eventSourceARN": arn,
        "isFinalInvokeForWindow": not event["Records"],
        "isWindowTerminatedEarly": False,
    }


def kinesis_window_event(n: int) -> Any:
    """A batch of a tumbling window; without records, its last call."""
    return _windowed(kinesis_event(n), "arn:aws:kinesis:eu-west-1:123456789012:stream/orders")


def dynamodb_event(n: int) -> Any:
    """A shard with changes of two items, alternating; the last two of each four remove them."""
    keys = ("item-a", "item-b")
    records = [_record("dynamodb", number, "orders", keys[number % 2]) for number in range(n)]
    for number, record in enumerate(records):
        if number % 4 >= 2:
            record["eventName"] = "REMOVE"
            record["dynamodb"]["OldImage"] = record["dynamodb"].pop("NewImage")
    return event_from("dynamodb", records)


def dynamodb_window_event(n: int) -> Any:
    """A batch of a tumbling window; without records, its last call."""
    return _windowed(
        dynamodb_event(n), "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000"
    )


def _kafka(n: int, partitions: tuple[tuple[str, int], tuple[str, int]]) -> Any:
    records: dict[str, list[Any]] = {f"{topic}-{partition}": [] for topic, partition in partitions[:n]}
    for number in range(n):
        topic, partition = partitions[number % 2]
        records[f"{topic}-{partition}"].append(
            {
                "topic": topic,
                "partition": partition,
                "offset": 15 + number // 2,
                "timestamp": 1_800_000_000_000 + number,
                "timestampType": "CREATE_TIME",
                "key": base64.b64encode(f"key-{number % 2}".encode()).decode(),
                "value": base64.b64encode(_body(number).encode()).decode(),
                "headers": [{"trace": [116, 45, -61, -92]}],
            }
        )
    return {
        "eventSource": "aws:kafka",
        "eventSourceArn": "arn:aws:kafka:eu-west-1:123456789012:cluster/orders/0a1b2c3d-1",
        "bootstrapServers": "b-1.orders.a1b2c3.kafka.eu-west-1.amazonaws.com:9092",
        "records": records,
    }


def kafka_event(n: int) -> Any:
    """Two partitions of one topic, with the same offsets."""
    return _kafka(n, (("orders", 0), ("orders", 1)))


def kafka_event_of_two_topics(n: int) -> Any:
    """The partition 0 of two topics, with the same offsets."""
    return _kafka(n, (("orders", 0), ("returns", 0)))


def rabbit_event(n: int) -> Any:
    """Two queues."""
    queues: dict[str, list[Any]] = {}
    for number in range(n):
        queues.setdefault(("orders::/", "returns::/")[number % 2], []).append(
            {
                "basicProperties": {
                    "contentType": "application/json",
                    "contentEncoding": None,
                    "headers": {"trace": {"bytes": [116, 49]}},
                    "deliveryMode": 2,
                    "priority": 0,
                    "correlationId": None,
                    "replyTo": None,
                    "expiration": "60000",
                    "messageId": f"message-{number + 1}",
                    "timestamp": "Jan 1, 2026, 12:33:41 AM",
                    "type": None,
                    "userId": "orders",
                    "appId": None,
                    "clusterId": None,
                    "bodySize": len(_body(number)),
                },
                "redelivered": False,
                "data": base64.b64encode(_body(number).encode()).decode(),
            }
        )
    arn = "arn:aws:mq:eu-west-1:123456789012:broker:orders:b-0a1b2c3d"
    return {"eventSource": "aws:rmq", "eventSourceArn": arn, "rmqMessagesByQueue": queues}


def firehose_event(n: int) -> Any:
    """A transformation."""
    return {
        "invocationId": "invocation-1",
        "deliveryStreamArn": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/orders",
        "region": "eu-west-1",
        "records": [
            {
                "recordId": f"4954667325278{number:043d}",
                "approximateArrivalTimestamp": 1_800_000_000_000 + number,
                "data": base64.b64encode(_body(number).encode()).decode(),
            }
            for number in range(n)
        ],
    }


def tasks_event(n: int) -> Any:
    """An invocation by S3 Batch Operations."""
    return {
        "invocationSchemaVersion": "1.0",
        "invocationId": "invocation-1",
        "job": {"id": "f3cc4f60-61f6-4a2b-8a21-d07600c373ce"},
        "tasks": [
            {"taskId": f"task-{number}", "s3Key": f"{number}.json", "s3BucketArn": "arn:aws:s3:::orders"}
            for number in range(n)
        ],
    }


def tickets_event(n: int) -> Any:
    """Nobody's service."""
    return {"tickets": [{"ticket": f"t{number}", "payload": _body(number)} for number in range(n)]}
