"""Pydantic models of a record of a Kinesis data stream. Needs the extra ``pydantic``; nothing else here imports it.

Inherit :class:`KinesisDataStreamRecordPayload` and replace its ``data`` (``data: Json[Order]``), then inherit
:class:`KinesisDataStreamRecord` and replace its ``kinesis`` by that. Fields have the names of the event; what the event
has besides is ignored.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, get_args

from pydantic import BaseModel, Json, field_validator

from batchcore.binary import decode_base64
from batchcore.records import decode_json, decode_text
from batchcore_kinesis.inflate import inflated

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


class KinesisDataStreamRecordPayload(BaseModel):
    """What the producer wrote, and where it lies in the stream. ``data`` is decoded from base64.

    A byte order mark before it is left out where a subclass parses it as JSON.
    """

    __batch_text__: ClassVar[tuple[str, ...]] = ("data",)

    kinesisSchemaVersion: str
    partitionKey: str
    sequenceNumber: str
    data: Replaceable[bytes]
    approximateArrivalTimestamp: float
    encryptionType: str | None = None

    @field_validator("data", mode="before")
    @classmethod
    def _decode_data(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        data = decode_base64(value, "kinesis.data")
        return data[len(BOM_UTF8) :] if data.startswith(BOM_UTF8) and _parses_json(cls.model_fields["data"]) else data


class KinesisDataStreamRecord(BaseModel):
    """A record of a Kinesis data stream."""

    __batch_source__: ClassVar[str] = "kinesis"

    eventSource: Literal["aws:kinesis"]
    eventVersion: str
    eventID: str
    eventName: Literal["aws:kinesis:record"]
    invokeIdentityArn: str
    awsRegion: str
    eventSourceARN: str
    kinesis: Replaceable[KinesisDataStreamRecordPayload]

    def decompress_zlib_record_data_as_json(self) -> Any:
        """Return the data, decompressed and parsed as JSON, as CloudWatch Logs writes it.

        All members of data that was compressed in parts are read, and are one text of JSON together.

        Raises:
            ValueError: the data is not JSON when decompressed, or a subclass has made something else of it.
            zlib.error: the data was not compressed by zlib or gzip, is damaged or cut off, has something behind its
                last member, or is more than 64 MiB when decompressed.
        """
        data = self.kinesis.data
        if not isinstance(data, bytes):
            raise ValueError("kinesis.data is of a type of your own; only the bytes of the record can be decompressed.")
        return decode_json(decode_text(inflated(data, "kinesis.data"), "kinesis.data"), "kinesis.data")

    if TYPE_CHECKING:

        def model_post_init(self, context: Literal["kinesis"], /) -> None:
            """Tell the type checker whose model this is: a processor of another source does not take it."""
