"""Pydantic models of a record of Kafka. Needs the extra ``pydantic``; nothing else here imports it.

Inherit :class:`KafkaRecordModel` and replace a field: ``value: Json[Order]``, or ``Json[Order] | None = None`` where
tombstones come. Fields have the names of the event; what the event has besides is ignored.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, Json, ValidationInfo, field_validator

from batchcore.binary import decode_base64
from batchcore_kafka.record import decode_headers, whole_number

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


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _parses_json(field: FieldInfo) -> bool:
    kinds: list[Any] = [field.annotation, *field.metadata]
    for kind in kinds:  # it grows meanwhile
        if Json in (kind, type(kind)):
            return True
        kinds.extend(get_args(kind))
    return False


class KafkaSchemaMetadataModel(BaseModel):
    """What Lambda says of a key or a value that it validated by a schema registry."""

    dataFormat: str | None = None
    schemaId: str | None = None


class KafkaRecordModel(BaseModel):
    """A record of Kafka. Key and value are decoded from base64; None where the record has none.

    A byte order mark before one is left out where a subclass parses it as JSON. ``headers`` are pairs of name and
    bytes, in their order; a name may come twice, and a value may be None.
    """

    __batch_source__: ClassVar[str] = "kafka"
    __batch_text__: ClassVar[tuple[str, ...]] = ("key", "value")

    topic: str
    partition: int
    offset: int
    timestamp: datetime
    timestampType: str | None = None
    key: Replaceable[bytes | None] = None
    value: Replaceable[bytes | None] = None
    headers: list[tuple[str, bytes | None]] = []
    keySchemaMetadata: KafkaSchemaMetadataModel | None = None
    valueSchemaMetadata: KafkaSchemaMetadataModel | None = None

    @field_validator("key", "value", mode="before")
    @classmethod
    def _decode_content(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, str):
            return value
        name = str(info.field_name)
        data = decode_base64(value, name)
        return data[len(BOM_UTF8) :] if data.startswith(BOM_UTF8) and _parses_json(cls.model_fields[name]) else data

    @field_validator("timestamp", mode="before")
    @classmethod
    def _in_milliseconds(cls, value: Any) -> Any:
        """Read every number as Kafka means it, text too: pydantic takes a small one for seconds."""
        if not isinstance(value, int) and not (isinstance(value, str) and value.isdecimal()):
            return value
        try:
            return _EPOCH + timedelta(milliseconds=whole_number(value, "timestamp", least=-1))
        except OverflowError:
            raise ValueError("timestamp is beyond the dates of Python") from None

    @field_validator("headers", mode="before")
    @classmethod
    def _decode_headers(cls, value: Any) -> Any:
        return decode_headers(value)
