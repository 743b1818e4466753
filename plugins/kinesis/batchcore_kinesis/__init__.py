"""Amazon Kinesis Data Streams as a source of batchcore. Importing this package offers the source ``kinesis``."""

from __future__ import annotations

from batchcore import offer
from batchcore_kinesis.hooks import KinesisDataStreams, KinesisSource, partition_key
from batchcore_kinesis.record import KinesisStreamRecord, KinesisStreamRecordPayload

__all__ = [
    "KinesisDataStreams",
    "KinesisSource",
    "KinesisStreamRecord",
    "KinesisStreamRecordPayload",
    "partition_key",
]

offer("kinesis", KinesisDataStreams)
