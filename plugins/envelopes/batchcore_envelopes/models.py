"""Pydantic models of what lies inside a record. Needs the extra ``pydantic``; nothing else here imports it.

They stand where the record's own model has text: ``body: Json[S3Model]`` of a message, ``data: Json[EventBridgeModel]``
of a record of Kinesis. Inherit one and replace a field for what is inside of it: ``Message: Json[S3Model]``,
``detail: Order``. Fields have the names of the events; what an event has besides is ignored. The models of changes of a
table are in ``batchcore_envelopes.change_models``.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar
from urllib.parse import unquote_plus

from pydantic import BaseModel, Field, model_validator

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


# -- SNS.


class SnsMessageAttributeModel(BaseModel):
    """One message attribute of a notification."""

    Type: str
    Value: str


class SnsNotificationModel(BaseModel):
    """A notification of SNS, as a queue gets it. One of a FIFO topic has a sequence number and no signature."""

    __batch_text__: ClassVar[tuple[str, ...]] = ("Message",)

    Type: Literal["Notification"]
    MessageId: str
    TopicArn: str
    Subject: str | None = None
    Message: Replaceable[str]
    Timestamp: datetime
    MessageAttributes: dict[str, SnsMessageAttributeModel] = {}
    SequenceNumber: str | None = None
    SignatureVersion: str | None = None
    Signature: str | None = None
    SigningCertURL: str | None = None
    UnsubscribeURL: str | None = None


# -- S3.


class S3IdentityModel(BaseModel):
    """Who did it, or who owns it."""

    principalId: str


class S3RequestParametersModel(BaseModel):
    """How the request came."""

    sourceIPAddress: str


class S3BucketModel(BaseModel):
    """The bucket."""

    name: str
    ownerIdentity: S3IdentityModel | None = None
    arn: str


class S3ObjectModel(BaseModel):
    """The object. One that was deleted has neither size nor entity tag."""

    key: str
    size: int | None = None
    eTag: str | None = None
    versionId: str | None = None
    sequencer: str | None = None

    @property
    def decoded_key(self) -> str:
        """Its key, decoded: what ``get_object()`` of S3 takes. In the event it is encoded as in a URL.

        Raises:
            ValueError: it is no key as S3 encodes it.
        """
        try:
            return unquote_plus(self.key, errors="strict")
        except UnicodeDecodeError:
            pass
        raise ValueError("s3.object.key is no text that S3 encoded as in a URL: decoded, it is not UTF-8.")


class S3MessageModel(BaseModel):
    """The bucket and the object that the event is about."""

    s3SchemaVersion: str | None = None
    configurationId: str | None = None
    bucket: S3BucketModel
    object: S3ObjectModel


class S3RecordModel(BaseModel):
    """One thing that happened in a bucket."""

    eventVersion: str
    eventSource: Literal["aws:s3"]
    awsRegion: str
    eventTime: datetime
    eventName: str
    userIdentity: S3IdentityModel | None = None
    requestParameters: S3RequestParametersModel | None = None
    responseElements: dict[str, str] = {}
    s3: Replaceable[S3MessageModel]
    glacierEventData: dict[str, Any] | None = None
    replicationEventData: dict[str, Any] | None = None
    intelligentTieringEventData: dict[str, Any] | None = None
    lifecycleEventData: dict[str, Any] | None = None


class S3Model(BaseModel):
    """A notification of S3. The event that S3 sends when a notification is set up has no records."""

    Records: Replaceable[list[S3RecordModel]]

    @model_validator(mode="before")
    @classmethod
    def _read_test_event(cls, value: Any) -> Any:
        is_test = isinstance(value, dict) and value.get("Event") == "s3:TestEvent" and "Records" not in value
        return {**value, "Records": []} if is_test else value


# -- EventBridge.


class EventBridgeModel(BaseModel):
    """An event of EventBridge."""

    version: str
    id: str
    detailType: str = Field(alias="detail-type")
    source: str
    account: str
    time: datetime
    region: str
    resources: list[str] = []
    replayName: str | None = Field(default=None, alias="replay-name")
    detail: Replaceable[dict[str, Any]]


# -- CloudWatch Logs.


class LogEventModel(BaseModel):
    """One log event."""

    __batch_text__: ClassVar[tuple[str, ...]] = ("message",)

    id: str
    timestamp: datetime
    message: Replaceable[str]
    extractedFields: dict[str, str] = {}


class CloudWatchLogsModel(BaseModel):
    """What a subscription of CloudWatch Logs writes, once :data:`batchcore_envelopes.LOGS` has opened it."""

    messageType: Literal["DATA_MESSAGE", "CONTROL_MESSAGE"]
    owner: str
    logGroup: str
    logStream: str
    subscriptionFilters: list[str]
    policyLevel: str | None = None
    logEvents: Replaceable[list[LogEventModel]]
