"""Amazon Kinesis Data Streams as a source of batchcore. Importing this package offers the source ``kinesis``."""

from __future__ import annotations

from batchcore import offer
from batchcore_kinesis.hooks import KinesisSource, partition_key, source
from batchcore_kinesis.record import KinesisStreamRecord, KinesisStreamRecordPayload

__all__ = [
    "KinesisSource",
    "KinesisStreamRecord",
    "KinesisStreamRecordPayload",
    "partition_key",
    "source",
]

offer("kinesis", source)
