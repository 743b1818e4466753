"""Events of Kafka for tests, in the shape in which Lambda delivers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import batchcore_testing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def signed_headers(pairs: Iterable[tuple[str, bytes | None]]) -> list[dict[str, list[int] | None]]:
    """Return headers as Lambda has them in a record: bytes above 127 are negative, and a name may come twice.

    Args:
        pairs: the headers in their order, as a client of Kafka gives them. A value may be None.
    """
    return [
        {name: None if value is None else [byte - 256 if byte > 127 else byte for byte in value]}
        for name, value in pairs
    ]


class KafkaEvents(batchcore_testing.KafkaEvents):
    """Makes records of Kafka, as Amazon MSK delivers them.

    The content is the value: bytes and text as they are, anything else as JSON; None is a tombstone. The key of a
    record is its key. For its headers, see :func:`signed_headers`.

    See "Using Lambda with Amazon MSK" in the AWS Lambda developer guide.
    """


class SelfManagedKafkaEvents(KafkaEvents):
    """Makes records of Kafka, as they come from a cluster of one's own: the events of queue mode."""

    def event(self, records: Sequence[Any]) -> Any:
        """Make an event: the records of each partition under its name. There is no ARN."""
        event = super().event(records)
        del event["eventSourceArn"]
        return {**event, "eventSource": "SelfManagedKafka"}
