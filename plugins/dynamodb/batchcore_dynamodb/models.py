"""Pydantic models of a record of a DynamoDB stream. Needs the extra ``pydantic``; nothing else here imports it.

Inherit :class:`DynamoDBStreamChangedRecordModel` and replace its images (``NewImage: Order | None = None``), then
inherit :class:`DynamoDBStreamRecordModel` and replace its ``dynamodb`` by that. Fields have the names of the event;
what the event has besides is ignored. Keys and images are deserialised before they are validated.

The models take what DynamoDB writes to a Kinesis data stream too. It lacks some fields of a DynamoDB stream's record,
which are None then.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ValidationInfo, field_validator

from batchcore_dynamodb.deserialize import deserialize_item
from batchcore_dynamodb.times import MILLISECONDS, units_per_second

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


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class UserIdentity(BaseModel):
    """Who changed the item, where it was not a user: an item that expired was removed by DynamoDB."""

    type: str
    principalId: str


class DynamoDBStreamChangedRecordModel(BaseModel):
    """What changed."""

    ApproximateCreationDateTime: datetime | None = None
    Keys: Replaceable[dict[str, Any]]
    NewImage: Replaceable[dict[str, Any] | None] = None
    OldImage: Replaceable[dict[str, Any] | None] = None
    SequenceNumber: str | None = None
    SizeBytes: int
    StreamViewType: Literal["NEW_AND_OLD_IMAGES", "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE"] | None = None

    @field_validator("ApproximateCreationDateTime", mode="before")
    @classmethod
    def _read_time(cls, value: Any) -> Any:
        # pydantic takes a large number for milliseconds, and is right; a larger one is of no year to it.
        time = int(value) if isinstance(value, str) and value.isdecimal() else value
        if not isinstance(time, (int, float, Decimal)) or not MILLISECONDS * 1e3 <= float(time) < MILLISECONDS * 1e9:
            return value
        units = units_per_second(float(time))
        seconds, rest = divmod(int(time), units)
        return _EPOCH + timedelta(seconds=seconds, microseconds=rest * 1_000_000 // units)

    @field_validator("Keys", "NewImage", "OldImage", mode="before")
    @classmethod
    def _deserialize(cls, value: Any, info: ValidationInfo) -> Any:
        return deserialize_item(value, f"dynamodb.{info.field_name}") if isinstance(value, dict) else value


class DynamoDBStreamRecordModel(BaseModel):
    """A record of a DynamoDB stream."""

    __batch_source__: ClassVar[str] = "dynamodb"

    eventID: str
    eventName: Literal["INSERT", "MODIFY", "REMOVE"]
    eventVersion: str | None = None
    eventSource: Literal["aws:dynamodb"]
    awsRegion: str
    eventSourceARN: str | None = None
    dynamodb: Replaceable[DynamoDBStreamChangedRecordModel]
    userIdentity: UserIdentity | None = None

    if TYPE_CHECKING:

        def model_post_init(self, context: Literal["dynamodb"], /) -> None:
            """Tell the type checker whose model this is: a processor of another source does not take it."""
