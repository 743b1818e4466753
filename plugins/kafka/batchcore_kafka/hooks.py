"""The source: what batchcore has to know of Apache Kafka."""

from __future__ import annotations

from operator import itemgetter

from batchcore import ConfigurationError, by_key, hookimpl, unordered
from batchcore.records import is_object
from batchcore_kafka.record import Identifiers, KafkaRecord, whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from typing import Any, Literal

    from batchcore import Batch, Ordering

EVENT_SOURCES = ("aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka")


def topic_partition(record: Mapping[str, Any]) -> tuple[str, int]:
    """Return what a raw record is ordered by: its topic, and its partition as a number.

    Raises:
        ValueError: it is no record of Kafka. None would make it a lane of its own, and order would be lost unseen.
    """
    try:
        partition = record["partition"]
        return record["topic"], partition if type(partition) is int else whole_number(partition, "partition")
    except KeyError as error:
        raise ValueError(f"A record of Kafka has a topic and a partition; this one has no {error.args[0]}.") from None


def record_key(record: Mapping[str, Any]) -> Hashable:
    """Return topic, partition and key of a raw record, or None where it has no key: ``ordering=by_key(record_key)``.

    Raises:
        ValueError: it is no record of Kafka.
    """
    partition, key = topic_partition(record), record.get("key")
    return None if key is None else (*partition, key)


PARTITION_ORDER = by_key(topic_partition, of_identifier=itemgetter("partition"))


class KafkaSource:
    """Apache Kafka: Amazon MSK and self-managed. A batch has records of several topics and partitions.

    In stream mode an offset is committed for each partition: after a failure the rest of its partition comes again. So
    records of one partition run in order, up to the first failure. In queue mode, with a share group, there is no
    order, and each record is released to the broker, or acknowledged, by itself.

    Args:
        mode: ``ConsumptionMode`` of the event source mapping: ``stream`` or ``queue``. No event says which it is.

    Raises:
        ConfigurationError: there is no such mode.

    AWS's side of it: https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html
    """

    name = "kafka"

    def __init__(self, mode: Literal["stream", "queue"] = "stream") -> None:
        if mode not in ("stream", "queue"):
            raise ConfigurationError(f"mode is 'stream' or 'queue', as the mapping's ConsumptionMode, not {mode!r}.")
        self.mode = mode

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        """Whether the event is of Kafka, by its ``eventSource``; without one, by the form of its records."""
        groups = event.get("records") if type(event) is dict or is_object(event) else None
        if type(groups) is not dict and not is_object(groups):
            return False
        for records in groups.values():
            if not isinstance(records, list):
                return False
        if "eventSource" in event:
            return event["eventSource"] in EVENT_SOURCES
        records = self.extract_records(event)
        return bool(records) and all(is_object(each) and "topic" in each and "offset" in each for each in records)

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Any]:
        """Return the records, one partition after the other. Their names are not looked at."""
        found: list[Any] = []
        for records in event["records"].values():
            found += records
        return found

    @hookimpl
    def identify_records(self, records: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        """Return topic, partition and offset of each record, as AWS names it.

        Raises:
            RecordIdentityError: a record lacks one of them. AWS would take the whole response for a failure.
        """
        return Identifiers(records)

    @hookimpl
    def record_decoder(self, batch: Batch) -> Callable[[Any], KafkaRecord]:
        """Return the typed view."""
        return KafkaRecord

    @hookimpl
    def ordering_policy(self, batch: Batch) -> Ordering:
        """Run the records of a partition in order, up to the first failure; in queue mode in any order."""
        return PARTITION_ORDER if self.mode == "stream" else unordered

    @hookimpl
    def acknowledgement(self) -> Literal["checkpoint", "record"]:
        """Say that in stream mode the offset of a partition acknowledges, and in queue mode each record by itself."""
        return "checkpoint" if self.mode == "stream" else "record"

    @hookimpl
    def checkpoint_of(self, record: Any) -> tuple[str, int]:
        """Return topic and partition."""
        return topic_partition(record)

    @hookimpl
    def describe_record(self, record: Any) -> Mapping[str, Any]:
        """Return topic and partition."""
        return {name: record[name] for name in ("topic", "partition") if isinstance(record.get(name), (str, int))}


Kafka = KafkaSource()
"""The source that this package offers under the name ``kafka``, in stream mode."""
