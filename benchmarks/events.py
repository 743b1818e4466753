"""Lambda events in AWS's shape, with all their fields, of any number of records.

Payloads have the size of those in the documentation both libraries follow, ``{"item": {"laptop": "amd"}}``: what is
measured is what a library adds to a record, and parsing a larger payload takes the same time with each.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import uuid
from typing import Any, TypeAlias

Event: TypeAlias = dict[str, Any]

POISON = '{"poison": true}'
"""The body that a handler which fails looks for."""

GROUPS = 5
REGION = "eu-central-1"
_ACCOUNT = "123456789012"


def _order(position: int) -> dict[str, Any]:
    return {"item": {"laptop": f"model {position}"}}


def _sqs_record(position: int, body: str, queue: str, random_source: random.Random) -> dict[str, Any]:
    return {
        "messageId": str(uuid.UUID(int=random_source.getrandbits(128), version=4)),
        "receiptHandle": base64.b64encode(random_source.randbytes(276)).decode(),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(1_545_082_649_183 + position),
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": str(1_545_082_649_185 + position),
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{_ACCOUNT}:{queue}",
        "awsRegion": REGION,
    }


def sqs_event(size: int) -> Event:
    """Make an event of a standard queue, each body an order as JSON."""
    source = random.Random(1)
    return {"Records": [_sqs_record(i, json.dumps(_order(i)), "orders", source) for i in range(size)]}


def sqs_event_with_failures(size: int) -> Event:
    """Make an event of a standard queue in which every tenth body is the one that fails."""
    event = sqs_event(size)
    for record in event["Records"][9::10]:
        record["body"] = POISON
    return event


def sqs_fifo_event(size: int) -> Event:
    """Make an event of a FIFO queue whose messages belong to five groups in turn."""
    source = random.Random(2)
    records = [_sqs_record(i, json.dumps(_order(i)), "orders.fifo", source) for i in range(size)]
    for position, record in enumerate(records):
        record["attributes"] |= {
            "MessageGroupId": f"group-{position % GROUPS}",
            "MessageDeduplicationId": hashlib.sha256(record["body"].encode()).hexdigest(),
            "SequenceNumber": str(18_849_496_460_467_696_128 + 256 * position),
        }
    return {"Records": records}


def sqs_fifo_event_with_a_failed_group(size: int) -> Event:
    """Make an event of a FIFO queue in which one group of the five fails halfway; in a smaller batch than that none."""
    event = sqs_fifo_event(size)
    if size > GROUPS:
        event["Records"][size // 2 // GROUPS * GROUPS]["body"] = POISON
    return event


def kinesis_event(size: int) -> Event:
    """Make an event of a data stream, each payload an order as JSON, of twenty partition keys."""
    return {"Records": [_kinesis_record(i) for i in range(size)]}


def _kinesis_record(position: int) -> dict[str, Any]:
    sequence_number = str(49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898 + 16 * position)
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": f"customer-{position % 20}",
            "sequenceNumber": sequence_number,
            "data": base64.b64encode(json.dumps(_order(position)).encode()).decode(),
            "approximateArrivalTimestamp": 1_545_084_650.987 + position,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000006:{sequence_number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{_ACCOUNT}:role/lambda-role",
        "awsRegion": REGION,
        "eventSourceARN": f"arn:aws:kinesis:{REGION}:{_ACCOUNT}:stream/orders",
    }


def kafka_event(size: int) -> Event:
    """Make an event of two topics with five partitions in all, each value an order as JSON."""
    partitions = [("orders", 0), ("orders", 1), ("orders", 2), ("returns", 0), ("returns", 1)]
    records: dict[str, list[dict[str, Any]]] = {}
    for position in range(size):
        topic, partition = partitions[position % len(partitions)]
        record = _kafka_record(topic, partition, 1_000 + position // len(partitions), position)
        records.setdefault(f"{topic}-{partition}", []).append(record)
    return {
        "eventSource": "aws:kafka",
        "eventSourceArn": f"arn:aws:kafka:{REGION}:{_ACCOUNT}:cluster/orders/abcd1234-abcd-cafe-abab-9876543210ab-4",
        "bootstrapServers": f"b-1.orders.a1bcde.c1.kafka.{REGION}.amazonaws.com:9092",
        "records": records,
    }


def _kafka_record(topic: str, partition: int, offset: int, position: int) -> dict[str, Any]:
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "timestamp": 1_545_084_650_987 + position,
        "timestampType": "CREATE_TIME",
        "key": base64.b64encode(f"customer-{position % 20}".encode()).decode(),
        "value": base64.b64encode(json.dumps(_order(position)).encode()).decode(),
        "headers": [{"trace": [48, 49, -62, -89]}],
    }


def dynamodb_event(size: int) -> Event:
    """Make an event of a table's stream: modified items with strings, numbers, lists, maps and sets."""
    return {"Records": [_dynamodb_record(i) for i in range(size)]}


def _dynamodb_record(position: int) -> dict[str, Any]:
    image = {
        "Id": {"N": str(position)},
        "Customer": {"S": f"customer-{position % 97}"},
        "Total": {"N": f"{19 + position}.99"},
        "Paid": {"BOOL": True},
        "Note": {"NULL": True},
        "Tags": {"SS": ["new", "gift"]},
        "Lines": {"L": [{"M": {"Sku": {"S": f"sku-{position % 13}"}, "Quantity": {"N": "2"}}}]},
    }
    return {
        "eventID": hashlib.md5(str(position).encode(), usedforsecurity=False).hexdigest(),
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": {
            "ApproximateCreationDateTime": 1_693_997_155.0 + position,
            "Keys": {"Id": {"N": str(position)}},
            "NewImage": image,
            "OldImage": {**image, "Paid": {"BOOL": False}},
            "SequenceNumber": str(4_421_584_500_000_000_017_450_439_091 + position),
            "SizeBytes": 259,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": f"arn:aws:dynamodb:{REGION}:{_ACCOUNT}:table/orders/stream/2026-06-27T00:48:05.899",
    }
