"""Apache Kafka as a source of batchcore: Amazon MSK and self-managed. Importing this package offers ``kafka``."""

from __future__ import annotations

from batchcore import offer
from batchcore_kafka.hooks import Kafka, KafkaSource, record_key, topic_partition
from batchcore_kafka.record import KafkaRecord, KafkaSchemaMetadata

__all__ = [
    "Kafka",
    "KafkaRecord",
    "KafkaSchemaMetadata",
    "KafkaSource",
    "record_key",
    "topic_partition",
]

offer("kafka", Kafka)
