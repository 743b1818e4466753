"""Pydantic models of a record for a transformation. Needs the extra ``pydantic``; nothing else here imports it.

Inherit :class:`FirehoseRecordModel` and replace its ``data``: ``data: Json[Order]``. Where Firehose reads Amazon MSK it
is :class:`FirehoseMSKRecordModel` and ``kafkaRecordValue: Json[Order]``. Fields have the names of the event; what the
event has besides is ignored.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, Json, field_validator

from batchcore.binary import decode_base64
from batchcore_firehose.record import milliseconds

if TYPE_CHECKING:
    from typing import TypeAlias

    from pydantic.fields import FieldInfo

    T = TypeVar("T")
    # Any lets a subclass give the field another type: to a type checker a plain field has one type for good.
    Replaceable: TypeAlias = T | Any
else:

    class Replaceable:
        """The type itself, to pydantic."""

        def __class_getitem__(cls, kind: object) -> object:
            return kind


def _parses_json(field: FieldInfo) -> bool:
    kinds: list[Any] = [field.annotation, *field.metadata]
    for kind in kinds:  # it grows meanwhile
        if Json in (kind, type(kind)):
            return True
        kinds.extend(get_args(kind))
    return False


def _date_as_number(value: Any) -> Any:
    return milliseconds(value) if isinstance(value, str) else value


Milliseconds = Annotated[int, BeforeValidator(_date_as_number)]
"""An arrival time: a number, or a date as some made-up events have it."""


class KinesisRecordMetadataModel(BaseModel):
    """Where in a Kinesis data stream a record was."""

    shardId: str
    partitionKey: str
    approximateArrivalTimestamp: Milliseconds
    sequenceNumber: str
    subsequenceNumber: int | None = None

    @field_validator("subsequenceNumber", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value


class MSKRecordMetadataModel(BaseModel):
    """Where in a topic of Amazon MSK a record was. The event has numbers as text."""

    offset: int
    partitionId: int
    approximateArrivalTimestamp: Milliseconds


def _decoded(model: type[BaseModel], field: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    data = decode_base64(value, field)
    return data[len(BOM_UTF8) :] if data.startswith(BOM_UTF8) and _parses_json(model.model_fields[field]) else data


class FirehoseRecordModel(BaseModel):
    """A record for a transformation. ``data`` is decoded from base64.

    A byte order mark before it is left out where a subclass parses it as JSON.
    """

    __batch_source__: ClassVar[str] = "firehose"
    __batch_text__: ClassVar[tuple[str, ...]] = ("data",)

    recordId: str
    approximateArrivalTimestamp: Milliseconds
    data: Replaceable[bytes]
    kinesisRecordMetadata: KinesisRecordMetadataModel | None = None

    @field_validator("data", mode="before")
    @classmethod
    def _decode_data(cls, value: Any) -> Any:
        return _decoded(cls, "data", value)


class FirehoseMSKRecordModel(BaseModel):
    """A record for a transformation, of a stream that reads Amazon MSK: its data is ``kafkaRecordValue``.

    That is decoded from base64. A byte order mark before it is left out where a subclass parses it as JSON.
    """

    __batch_source__: ClassVar[str] = "firehose"
    __batch_text__: ClassVar[tuple[str, ...]] = ("kafkaRecordValue",)

    recordId: str
    approximateArrivalTimestamp: Milliseconds
    kafkaRecordValue: Replaceable[bytes]
    mskRecordMetadata: MSKRecordMetadataModel | None = None

    @field_validator("kafkaRecordValue", mode="before")
    @classmethod
    def _decode_value(cls, value: Any) -> Any:
        return _decoded(cls, "kafkaRecordValue", value)
