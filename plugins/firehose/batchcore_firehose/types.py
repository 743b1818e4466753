"""The response as type checkers see it. At run time nothing of a function needs this file."""

from __future__ import annotations

from typing import Literal, TypedDict


class FirehoseMetadata(TypedDict, total=False):
    """What a result says beside its data."""

    partitionKeys: dict[str, str]
    otfMetadata: dict[str, str]


class _Named(TypedDict):
    recordId: str
    result: Literal["Ok", "Dropped", "ProcessingFailed"]


class FirehoseResponseRecord(_Named, total=False):
    """The result of one record: ``data`` in base64, or ``kafkaRecordValue`` where Firehose reads Amazon MSK."""

    data: str
    kafkaRecordValue: str
    metadata: FirehoseMetadata


class FirehoseResponse(TypedDict):
    """The response to an invocation: a result for each record, in the order of the batch."""

    records: list[FirehoseResponseRecord]
