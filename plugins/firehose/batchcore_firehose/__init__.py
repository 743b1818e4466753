"""Data transformation of Amazon Data Firehose. Importing this package offers the source ``firehose``."""

from __future__ import annotations

from batchcore import offer
from batchcore_firehose.hooks import Firehose, FirehoseSource
from batchcore_firehose.record import FirehoseRecord, KinesisRecordMetadata, MSKRecordMetadata
from batchcore_firehose.results import FirehoseResult

__all__ = [
    "Firehose",
    "FirehoseRecord",
    "FirehoseResult",
    "FirehoseSource",
    "KinesisRecordMetadata",
    "MSKRecordMetadata",
]

offer("firehose", Firehose)
