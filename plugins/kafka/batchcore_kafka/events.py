"""Events of Kafka for tests, in the shape in which Lambda delivers them."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from batchcore_testing import EventFactory, Sent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_BROKERS = "b-1.demo-cluster.a1bcde.c1.kafka.eu-west-1.amazonaws.com:9092"


def signed_headers(pairs: Iterable[tuple[str, bytes | None]]) -> list[dict[str, list[int] | None]]:
    """Return headers as Lambda has them in a record: bytes above 127 are negative, and a name may come twice.

    Args:
        pairs: the headers in their order, as a client of Kafka gives them. A value may be None.
    """
    return [
        {name: None if value is None else [byte - 256 if byte > 127 else byte for byte in value]}
        for name, value in pairs
    ]


class KafkaEvents(EventFactory):
    """Makes records of Kafka, as Amazon MSK delivers them.

    The content is the value: bytes and text as they are, anything else as JSON; None is a tombstone. The key of a
    record is its key. For its headers, see :func:`signed_headers`.

    See "Using Lambda with Amazon MSK" in the AWS Lambda developer guide.
    """

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw record."""
        record: dict[str, Any] = {
            "topic": sent.resource,
            "partition": sent.shard,
            "offset": sent.sequence,
            "timestamp": round(sent.sent_at * 1000),
            "timestampType": "CREATE_TIME",
        }
        if sent.key is not None:
            record["key"] = b64encode(sent.key.encode()).decode()
        if sent.content is not None:
            record["value"] = b64encode(_value(sent.content)).decode()
        record["headers"] = []
        return record

    def lane(self, position: int, lanes: int) -> Mapping[str, Any]:
        """Put records into partitions, each with offsets of its own."""
        return {"shard": position % lanes, "sequence": position // lanes}

    def event(self, records: Sequence[Any]) -> dict[str, Any]:
        """Make an event: the records of each partition under its name."""
        by_partition: dict[str, list[Any]] = {}
        for record in records:
            by_partition.setdefault(f"{record['topic']}-{record['partition']}", []).append(record)
        return {**self.cluster(), "bootstrapServers": _BROKERS, "records": by_partition}

    def cluster(self) -> dict[str, Any]:
        """Return what an event says of the cluster."""
        arn = "arn:aws:kafka:eu-west-1:123456789012:cluster/demo-cluster/6a7b8c9d-1"
        return {"eventSource": "aws:kafka", "eventSourceArn": arn}


class SelfManagedKafkaEvents(KafkaEvents):
    """Makes records of Kafka, as they come from a cluster of one's own: the events of queue mode."""

    def cluster(self) -> dict[str, Any]:
        """Return what an event says of the cluster: there is no ARN."""
        return {"eventSource": "SelfManagedKafka"}


def _value(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()
