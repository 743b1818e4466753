"""The typed view of a record of Kinesis, as a pipe delivers it. Needs batchcore-kinesis, and is loaded on use."""

from __future__ import annotations

from batchcore.records import once
from batchcore_kinesis import KinesisStreamRecord, KinesisStreamRecordPayload


class KinesisPipeRecord(KinesisStreamRecord):
    """A record of a Kinesis data stream, as a pipe delivers it: flat.

    What Lambda has in an object ``kinesis`` stands beside the other fields: ``record["data"]``. A handler reads it as
    it does from Lambda all the same, by ``record.kinesis.data_as_json()``.
    """

    __slots__ = ()  # and no __init__: the core makes thousands of these, where nothing is to be prepared

    @once
    def kinesis(self) -> KinesisStreamRecordPayload:
        """What the producer wrote, and where it lies in the stream."""
        return KinesisStreamRecordPayload(self.raw_event)
