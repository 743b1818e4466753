"""Pydantic models of an SQS message. Needs the extra ``pydantic``; nothing else here imports it.

Inherit :class:`SqsRecordModel` and replace a field: ``body: Json[Order]``. Fields have the names of the event; what the
event has besides is ignored.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel

if TYPE_CHECKING:
    from typing import TypeAlias

    T = TypeVar("T")
    # Any lets a subclass give the field another type: to a type checker a plain field has one type for good.
    Replaceable: TypeAlias = T | Any
else:

    class Replaceable:
        """The type itself, to pydantic."""

        def __class_getitem__(cls, kind: object) -> object:
            return kind


class SqsAttributesModel(BaseModel):
    """What SQS itself says of a message."""

    ApproximateReceiveCount: str
    ApproximateFirstReceiveTimestamp: datetime
    MessageDeduplicationId: str | None = None
    MessageGroupId: str | None = None
    SenderId: str
    SentTimestamp: datetime
    SequenceNumber: str | None = None
    AWSTraceHeader: str | None = None
    DeadLetterQueueSourceArn: str | None = None


class SqsMsgAttributeModel(BaseModel):
    """One message attribute that the sender set."""

    stringValue: str | None = None
    binaryValue: str | None = None
    stringListValues: list[str] = []
    binaryListValues: list[str] = []
    dataType: str


class SqsRecordModel(BaseModel):
    """An SQS message."""

    __batch_source__: ClassVar[str] = "sqs"
    __batch_text__: ClassVar[tuple[str, ...]] = ("body",)

    messageId: str
    receiptHandle: str
    body: Replaceable[str]
    attributes: SqsAttributesModel
    messageAttributes: dict[str, SqsMsgAttributeModel]
    md5OfBody: str
    md5OfMessageAttributes: str | None = None
    eventSource: Literal["aws:sqs"]
    eventSourceARN: str
    awsRegion: str

    if TYPE_CHECKING:

        def model_post_init(self, context: Literal["sqs"], /) -> None:
            """Tell the type checker whose model this is: a processor of another source does not take it."""
