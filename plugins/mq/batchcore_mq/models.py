"""Pydantic models of messages of Amazon MQ. Needs the extra ``pydantic``; nothing else here imports it.

Inherit :class:`ActiveMQMessageModel` or :class:`RabbitMQMessageModel` and replace its ``data`` (``data: Json[Order]``).
Fields have the names of the event; what the event has besides is ignored. All but ``data`` may be missing.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_args

from pydantic import AliasChoices, BaseModel, Field, Json, field_validator

from batchcore.binary import decode_base64
from batchcore_mq.gson import decode_headers

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


class _MessageModel(BaseModel):
    """What messages of both brokers have. ``data`` is decoded from base64.

    A byte order mark before it is left out where a subclass parses it as JSON.
    """

    __batch_text__: ClassVar[tuple[str, ...]] = ("data",)

    data: Replaceable[bytes]
    redelivered: bool | None = None

    @field_validator("data", mode="before")
    @classmethod
    def _decode_data(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        data = decode_base64(value, "data")
        return data[len(BOM_UTF8) :] if data.startswith(BOM_UTF8) and _parses_json(cls.model_fields["data"]) else data


class ActiveMQDestination(BaseModel):
    """A queue of ActiveMQ, by either spelling of its name."""

    physicalName: str | None = Field(None, validation_alias=AliasChoices("physicalName", "physicalname"))


class ActiveMQMessageModel(_MessageModel):
    """A message of ActiveMQ. A ``replyTo`` that is the text ``null`` is None."""

    __batch_source__: ClassVar[str] = "activemq"

    messageID: str | None = None
    messageType: str | None = None
    deliveryMode: int | None = None
    persistent: bool | None = None
    replyTo: str | None = None
    type: str | None = None
    expiration: int | None = None
    priority: int | None = None
    correlationID: str | None = Field(None, validation_alias=AliasChoices("correlationID", "correlationId"))
    connectionId: str | None = None
    destination: ActiveMQDestination | None = None
    timestamp: int | None = None
    brokerInTime: int | None = None
    brokerOutTime: int | None = None
    properties: Replaceable[dict[str, Any] | None] = None

    @field_validator("replyTo", mode="before")
    @classmethod
    def _read_null(cls, value: Any) -> Any:
        return None if value == "null" else value


class RabbitMQBasicPropertiesModel(BaseModel):
    """What was said of a message beside its content. ``headers`` have text as text."""

    contentType: str | None = None
    contentEncoding: str | None = None
    headers: Replaceable[dict[str, Any] | None] = None
    deliveryMode: int | None = None
    priority: int | None = None
    correlationId: str | None = None
    replyTo: str | None = None
    expiration: str | None = None
    messageId: str | None = None
    timestamp: str | None = None
    type: str | None = None
    userId: str | None = None
    appId: str | None = None
    clusterId: str | None = None
    bodySize: int | None = None

    @field_validator("headers", mode="before")
    @classmethod
    def _decode_headers(cls, value: Any) -> Any:
        return decode_headers(value) if isinstance(value, dict) else value

    @field_validator("expiration", mode="before")
    @classmethod
    def _write_expiration(cls, value: Any) -> Any:
        return str(value) if type(value) is int else value


class RabbitMQMessageModel(_MessageModel):
    """A message of RabbitMQ."""

    __batch_source__: ClassVar[str] = "rabbitmq"

    basicProperties: Replaceable[RabbitMQBasicPropertiesModel | None] = None
