"""Events of Amazon Data Firehose for tests, in the shape in which it hands them to a function."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Literal

from batchcore_testing import EventFactory, Sent

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIRST_NUMBER = 49_640_912_821_178_817_833_517_986_466_168_945_147_170_627_572_855_734_274
_ACCOUNT = "123456789012"
_STREAM = f"arn:aws:firehose:eu-west-1:{_ACCOUNT}:deliverystream/orders"
_ORIGINS = {
    "put": {},
    "kinesis": {"sourceKinesisStreamArn": f"arn:aws:kinesis:eu-west-1:{_ACCOUNT}:stream/orders"},
    "msk": {
        "sourceMSKArn": f"arn:aws:kafka:eu-west-1:{_ACCOUNT}:cluster/orders/abcd1234-abcd-cafe-abab-9876543210ab-4"
    },
}


class FirehoseEvents(EventFactory):
    """Makes records for a transformation.

    The content is the data: bytes and text as they are, anything else as JSON. The key of a record is its partition
    key where the stream reads Kinesis.

    Args:
        origin: what the stream gets its records from: ``put`` (producers call it), ``kinesis`` or ``msk``.

    See "Transform source data" in the Amazon Data Firehose developer guide.
    """

    def __init__(self, origin: Literal["put", "kinesis", "msk"] = "put") -> None:
        self.origin = origin

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw record."""
        number, arrived = str(_FIRST_NUMBER + 16 * sent.number), round(sent.sent_at * 1000)
        record: dict[str, Any] = {"recordId": f"{number}000000", "approximateArrivalTimestamp": arrived}
        data = b64encode(_data(sent.content)).decode()
        if self.origin == "msk":
            place = {"offset": str(sent.sequence), "partitionId": str(sent.shard)}
            metadata = {**place, "approximateArrivalTimestamp": arrived}
            return {**record, "mskRecordMetadata": metadata, "kafkaRecordValue": data}
        if self.origin == "kinesis":
            record["kinesisRecordMetadata"] = {
                "shardId": f"shardId-{sent.shard:012}",
                "partitionKey": str(sent.number) if sent.key is None else sent.key,
                "approximateArrivalTimestamp": arrived,
                "sequenceNumber": number,
                "subsequenceNumber": 0,
            }
        return {**record, "data": data}

    def event(self, records: Sequence[Any]) -> Any:
        """Make an event: one invocation."""
        return {
            "invocationId": "2b4d1ad9-2f48-94bd-a088-767c317e994a",
            **_ORIGINS[self.origin],
            "deliveryStreamArn": _STREAM,
            "region": "eu-west-1",
            "records": list(records),
        }


def _data(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()
