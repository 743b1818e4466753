# mypy: disable-error-code="no-any-return"
# Every property gives what the event holds, and an event is Any by nature.
"""Typed views of the events that other services put into the body of an SQS message.

A view refuses what it does not read when it is made, so that no property gives None for a field of something else.
"""

from __future__ import annotations

from batchcore import RecordView

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any


class SNSMessageAttribute(RecordView):
    """One message attribute of a notification."""

    __slots__ = ()

    @property
    def type(self) -> str:
        """``String``, ``String.Array``, ``Number`` or ``Binary``."""
        return self.raw_event["Type"]

    @property
    def get_type(self) -> str:
        """The same as ``type``."""
        return self.raw_event["Type"]

    @property
    def value(self) -> str:
        """The value, as the event has it."""
        return self.raw_event["Value"]


class SNSMessage(RecordView):
    """An SNS notification. https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html

    A notification of a FIFO topic has a sequence number and no signature.

    Raises:
        ValueError: it is something else. The error says what, and what to read instead.
    """

    __slots__ = ()

    def __init__(self, raw_event: Mapping[str, Any]) -> None:
        if type(raw_event) is not dict or "Message" not in raw_event:
            super().__init__(raw_event)
            if not ("Message" in raw_event or "TopicArn" in raw_event or raw_event.get("Type") == "Notification"):
                raise _wrong("sns", raw_event)
        self.raw_event = raw_event

    @property
    def type(self) -> str:
        """``Notification``, or the type of a message about the subscription."""
        return self.raw_event["Type"]

    @property
    def get_type(self) -> str:
        """The same as ``type``."""
        return self.raw_event["Type"]

    @property
    def message_id(self) -> str:
        """The id that SNS gave the message. It is not the SQS message's."""
        return self.raw_event["MessageId"]

    @property
    def topic_arn(self) -> str:
        """The ARN of the topic."""
        return self.raw_event["TopicArn"]

    @property
    def subject(self) -> str | None:
        """The subject, or None."""
        return self.raw_event.get("Subject")

    @property
    def message(self) -> str:
        """The message, as it was published."""
        return self.raw_event["Message"]

    @property
    def timestamp(self) -> str:
        """When the message was published, such as ``2021-01-19T10:07:07.287Z``."""
        return self.raw_event["Timestamp"]

    @property
    def message_attributes(self) -> dict[str, SNSMessageAttribute]:
        """The message attributes by name; empty where there are none."""
        attributes: dict[str, Any] = self.raw_event.get("MessageAttributes") or {}
        return {name: SNSMessageAttribute(attribute) for name, attribute in attributes.items()}

    @property
    def sequence_number(self) -> str | None:
        """The number that a FIFO topic gave the message, or None."""
        return self.raw_event.get("SequenceNumber")

    @property
    def signature_version(self) -> str | None:
        """The version of the signature, or None."""
        return self.raw_event.get("SignatureVersion")

    @property
    def signature(self) -> str | None:
        """The signature, in base64, or None."""
        return self.raw_event.get("Signature")

    @property
    def signing_cert_url(self) -> str | None:
        """Where the certificate of the signature is, or None."""
        return self._url("SigningCertU")

    @property
    def unsubscribe_url(self) -> str | None:
        """What ends the subscription, or None."""
        return self._url("UnsubscribeU")

    def _url(self, name: str) -> str | None:
        # "...URL" in what SNS sends to a queue, "...Url" in what it sends to a function.
        return self.raw_event.get(f"{name}RL") or self.raw_event.get(f"{name}rl")


class S3Identity(RecordView):
    """Who did it, or who owns it."""

    __slots__ = ()

    @property
    def principal_id(self) -> str:
        """The customer's or the service's id."""
        return self.raw_event["principalId"]


class S3RequestParameters(RecordView):
    """How the request came."""

    __slots__ = ()

    @property
    def source_ip_address(self) -> str:
        """The address it came from."""
        return self.raw_event["sourceIPAddress"]


class S3Bucket(RecordView):
    """The bucket."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Its name."""
        return self.raw_event["name"]

    @property
    def owner_identity(self) -> S3Identity:
        """Its owner."""
        return S3Identity(self.raw_event["ownerIdentity"])

    @property
    def arn(self) -> str:
        """Its ARN."""
        return self.raw_event["arn"]


class S3Object(RecordView):
    """The object."""

    __slots__ = ()

    @property
    def key(self) -> str:
        """Its key, encoded as in a URL, as the event has it."""
        return self.raw_event["key"]

    @property
    def decoded_key(self) -> str:
        """Its key, decoded: what ``get_object()`` of S3 takes.

        Raises:
            ValueError: it is no key as S3 encodes it.
        """
        from urllib.parse import unquote_plus

        key = self.raw_event["key"]
        try:
            return unquote_plus(key, errors="strict")
        except (AttributeError, TypeError, UnicodeDecodeError):
            pass
        raise ValueError("s3.object.key is no text that S3 encoded as in a URL: decoded, it is not UTF-8.")

    @property
    def size(self) -> int | None:
        """Its size in bytes, or None where it was deleted."""
        return self.raw_event.get("size")

    @property
    def etag(self) -> str:
        """Its entity tag; empty where it was deleted."""
        return self.raw_event.get("eTag") or ""

    @property
    def version_id(self) -> str | None:
        """Its version, where the bucket keeps versions; else None."""
        return self.raw_event.get("versionId")

    @property
    def sequencer(self) -> str | None:
        """What orders the events of one key, by comparing as hexadecimal numbers of equal length; or None."""
        return self.raw_event.get("sequencer")


class S3Message(RecordView):
    """The bucket and the object that the event is about."""

    __slots__ = ()

    @property
    def s3_schema_version(self) -> str:
        """The version of this part of the event."""
        return self.raw_event["s3SchemaVersion"]

    @property
    def configuration_id(self) -> str:
        """The id of the bucket's notification configuration."""
        return self.raw_event["configurationId"]

    @property
    def bucket(self) -> S3Bucket:
        """The bucket."""
        return S3Bucket(self.raw_event["bucket"])

    @property
    def object(self) -> S3Object:
        """The object. Events of Intelligent-Tiering name it ``get_object``."""
        return S3Object(_object(self.raw_event))

    @property
    def get_object(self) -> S3Object:
        """The same as ``object``."""
        return S3Object(_object(self.raw_event))


class S3EventRecordGlacierRestoreEventData(RecordView):
    """A restored object."""

    __slots__ = ()

    @property
    def lifecycle_restoration_expiry_time(self) -> str:
        """When the restored copy expires."""
        return self.raw_event["lifecycleRestorationExpiryTime"]

    @property
    def lifecycle_restore_storage_class(self) -> str:
        """The storage class it was restored from."""
        return self.raw_event["lifecycleRestoreStorageClass"]


class S3EventRecordGlacierEventData(RecordView):
    """What an event of a restore says besides."""

    __slots__ = ()

    @property
    def restore_event_data(self) -> S3EventRecordGlacierRestoreEventData:
        """The restored object."""
        return S3EventRecordGlacierRestoreEventData(self.raw_event["restoreEventData"])


class S3EventRecordIntelligentTieringEventData(RecordView):
    """What an event of Intelligent-Tiering says besides."""

    __slots__ = ()

    @property
    def destination_access_tier(self) -> str:
        """The tier that the object was moved to."""
        return self.raw_event["destinationAccessTier"]


class S3EventRecord(RecordView):
    """One thing that happened in a bucket.

    Raises:
        ValueError: it is something else, such as a record of another source.
    """

    __slots__ = ()

    def __init__(self, raw_event: Mapping[str, Any]) -> None:
        if type(raw_event) is not dict or "s3" not in raw_event:
            super().__init__(raw_event)
            if "s3" not in raw_event and raw_event.get("eventSource") != "aws:s3":
                raise _wrong("s3 record", raw_event)
        self.raw_event = raw_event

    @property
    def event_version(self) -> str:
        """The version of the event's shape, such as ``2.1``."""
        return self.raw_event["eventVersion"]

    @property
    def event_source(self) -> str:
        """``aws:s3``."""
        return self.raw_event["eventSource"]

    @property
    def aws_region(self) -> str:
        """The region of the bucket."""
        return self.raw_event["awsRegion"]

    @property
    def event_time(self) -> str:
        """When S3 finished the request, such as ``2023-04-12T20:43:38.021Z``."""
        return self.raw_event["eventTime"]

    @property
    def event_name(self) -> str:
        """What happened, such as ``ObjectCreated:Put``."""
        return self.raw_event["eventName"]

    @property
    def user_identity(self) -> S3Identity:
        """Who did it."""
        return S3Identity(self.raw_event["userIdentity"])

    @property
    def request_parameters(self) -> S3RequestParameters:
        """How the request came."""
        return S3RequestParameters(self.raw_event["requestParameters"])

    @property
    def response_elements(self) -> dict[str, str]:
        """The ids by which AWS support finds the request."""
        return self.raw_event["responseElements"]

    @property
    def s3(self) -> S3Message:
        """The bucket and the object."""
        return S3Message(self.raw_event["s3"])

    @property
    def glacier_event_data(self) -> S3EventRecordGlacierEventData | None:
        """What an event of a restore says besides, or None."""
        data = self.raw_event.get("glacierEventData")
        return None if data is None else S3EventRecordGlacierEventData(data)

    @property
    def intelligent_tiering_event_data(self) -> S3EventRecordIntelligentTieringEventData | None:
        """What an event of Intelligent-Tiering says besides, or None."""
        data = self.raw_event.get("intelligentTieringEventData")
        return None if data is None else S3EventRecordIntelligentTieringEventData(data)


class S3Event(RecordView):
    """An S3 event notification.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html

    Raises:
        ValueError: it is something else, such as the test event that S3 sends when a notification is set up, which has
            no records. The error says what, and what to read instead.
    """

    __slots__ = ()

    def __init__(self, raw_event: Mapping[str, Any]) -> None:
        if type(raw_event) is not dict or type(raw_event.get("Records")) is not list:
            super().__init__(raw_event)
            if not isinstance(raw_event.get("Records"), list):
                raise _wrong("s3", raw_event)
        self.raw_event = raw_event

    @property
    def records(self) -> Iterator[S3EventRecord]:
        """What happened, one after the other."""
        return map(S3EventRecord, self.raw_event["Records"])

    @property
    def record(self) -> S3EventRecord:
        """The first of the records. S3 sends one per notification.

        Raises:
            ValueError: there is none.
        """
        records = self.raw_event["Records"]
        if not records:
            raise ValueError("The S3 event notification has an empty list of records, so it has no first one.")
        return S3EventRecord(records[0])

    @property
    def bucket_name(self) -> str:
        """The name of the first record's bucket."""
        return self.record.s3.bucket.name

    @property
    def object_key(self) -> str:
        """The first record's key, decoded from the form it has in a URL."""
        return self.record.s3.object.decoded_key


def _object(s3: Mapping[str, Any]) -> Mapping[str, Any]:
    return s3.get("get_object") or s3["object"]


def _wrong(wanted: str, raw_event: object) -> Exception:
    from batchcore_sqs.instead import wrong  # only those who need it pay for its tables

    return wrong(wanted, raw_event)
