"""Sources that are wrong in the message that they make of a record that becomes a dead letter."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

from batchcore import Message, hookimpl
from batchcore.binary import decode_base64
from batchcore_dynamodb import DynamoDBSource
from batchcore_kinesis import KinesisSource, KinesisStreamRecord
from batchcore_sqs import SQSRecord, SQSSource, message_group

from .plain import Kafka


class ReadsTheBody(SQSSource):
    """Takes for granted that a message has a body, as each has until one has none.

    That one is retried until the queue gives it up; the deliverer of dead letters never gets it.
    """

    @hookimpl
    def original_message(self, record: Any) -> Message:
        return Message(record["body"], {}, message_group(record))


class DecodesEachAttribute(SQSSource):
    """Decodes the binary attributes of a message and raises where one of them is not base64."""

    @hookimpl
    def original_message(self, record: Any) -> Message:
        attributes: dict[str, dict[str, Any]] = {}
        for name, attribute in (record.get("messageAttributes") or {}).items():
            if attribute.get("binaryValue") is not None:
                value: dict[str, Any] = {"BinaryValue": decode_base64(attribute["binaryValue"], "binaryValue")}
            else:
                value = {"StringValue": attribute.get("stringValue")}
            attributes[name] = {"DataType": attribute["dataType"], **value}
        return Message(str(record.get("body")), attributes, message_group(record))


class SendsNothingForNothing(SQSSource):
    """Sends an empty text where there is no body, which no queue takes: that dead letter is refused each time."""

    @hookimpl
    def original_message(self, record: Any) -> Message:
        body = record.get("body", "")
        return Message(body if isinstance(body, str) else json.dumps(body), {}, message_group(record))


class SendsTheNewImage(DynamoDBSource):
    """Sends the new image of a change on, and raises for the removal of an item, which has none."""

    @hookimpl
    def original_message(self, record: Any) -> Message:
        return Message(json.dumps(record["dynamodb"]["NewImage"]))


class DecodesTheData(KinesisSource):
    """Sends the data on as the text that it is, and raises where it is none."""

    @hookimpl
    def original_message(self, record: Any) -> Message:
        return Message(b64decode(record["kinesis"]["data"]).decode("latin-1"))


class SendsTheValue(Kafka):
    """Sends the value of a record of Kafka on, which a tombstone does not have."""

    @hookimpl
    def original_message(self, record: Any) -> Message:
        return Message(record["value"])


class SendsWhatPythonShows(SQSSource):
    """Makes a text of the record by ``str()``, with single quotes and ``None``, which nothing reads back."""

    @hookimpl
    def original_message(self, record: Any) -> Message:
        return Message(str(record))


class SendsWhatPythonShowsInASentence(SQSSource):
    """The same, in a sentence for whoever looks at the dead letter."""

    @hookimpl
    def original_message(self, record: Any) -> Message:
        return Message(f"This message of SQS could not be processed: {record!r}")


class SendsAView(SQSSource):
    """Makes a text of the typed record."""

    @hookimpl
    def original_message(self, record: Any) -> Message:
        return Message(repr(SQSRecord(record)))


class SendsAnAddress(KinesisSource):
    """Makes a text of an object that shows where it is in memory."""

    @hookimpl
    def original_message(self, record: Any) -> Message:
        class Payload:
            def __init__(self, view: KinesisStreamRecord) -> None:
                self.view = view

        return Message(str(Payload(KinesisStreamRecord(record))))


class SendsTheJSONAsPythonShowsIt(SQSSource):
    """Parses the body and makes a text of what it is in Python, which is no JSON any more."""

    @hookimpl
    def original_message(self, record: Any) -> Message:
        try:
            return Message(str(json.loads(record["body"])))
        except (KeyError, TypeError, ValueError):
            return Message(json.dumps(record))


class SendsBytesAsPythonShowsThem(KinesisSource):
    """Makes a text of bytes by ``str()``: it begins with ``b'``."""

    @hookimpl
    def original_message(self, record: Any) -> Message:
        try:
            return Message(str(b64decode(record["kinesis"]["data"])))
        except (KeyError, TypeError, ValueError):
            return Message(json.dumps(record))


class SendsTheTextAsPythonShowsIt(SQSSource):
    """Quotes the body by ``repr()``."""

    @hookimpl
    def original_message(self, record: Any) -> Message:
        return Message(repr(record.get("body")))
