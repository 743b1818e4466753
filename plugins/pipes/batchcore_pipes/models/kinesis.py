"""The pydantic model of a record of Kinesis, as a pipe delivers it. Needs batchcore-kinesis."""

from __future__ import annotations

from typing import ClassVar, Literal

from batchcore_kinesis.models import KinesisDataStreamRecordPayload


class KinesisPipeRecordModel(KinesisDataStreamRecordPayload):
    """A record of a Kinesis data stream, flat. ``data`` is decoded from base64."""

    __batch_source__: ClassVar[str] = "pipes-kinesis"

    eventSource: Literal["aws:kinesis"]
    eventVersion: str
    eventID: str
    eventName: Literal["aws:kinesis:record"]
    invokeIdentityArn: str
    awsRegion: str
    eventSourceARN: str
