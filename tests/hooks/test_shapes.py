"""What a body is, in words for errors: known by its form, and never quoted."""

from __future__ import annotations

import base64
import bz2
import copy
import gzip
import hashlib
import json
import lzma
import pickle
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcore import RecordView
from batchcore.shapes import WrongShapeError, shape_of

EVENTS = Path(__file__).parents[1] / "events"
SNS = {"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": "hunter2"}


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def aggregated(message: bytes = b"\x0a\x05key-1") -> bytes:
    return b"\xf3\x89\x9a\xc2" + message + hashlib.md5(message, usedforsecurity=False).digest()


class ToDict:
    """An event object of another library."""

    def to_dict(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("value", "name", "words"),
    [
        ({"Service": "Amazon S3", "Event": "s3:TestEvent"}, "s3 test event", "s3:TestEvent"),
        (SNS, "sns notification", "an SNS notification"),
        ({"source": "aws.s3", "detail-type": "Object Created", "detail": {}}, "eventbridge s3 event", "by EventBridge"),
        ({"source": "shop", "detail-type": "Sold", "detail": {}}, "eventbridge event", "an EventBridge event"),
        ({"messageType": "DATA_MESSAGE", "logEvents": []}, "cloudwatch logs", "CloudWatch Logs"),
        ({"requestContext": {"condition": "RetriesExhausted"}}, "invocation record", "sends to a destination"),
        ({"requestContext": "hunter2"}, "object", "no known service"),
        ({"specversion": "1.0", "type": "t", "source": "s", "id": "1"}, "cloudevent", "a CloudEvent"),
        (sample("s3SqsEvent"), "event of aws:sqs", "an event with 1 record of aws:sqs"),
        (sample("kinesisStreamEvent"), "event of aws:kinesis", "an event with 2 records of aws:kinesis"),
        ({"Records": [{"EventSource": "aws:sns", "Sns": SNS}]}, "event of aws:sns", "1 record of aws:sns"),
        (sample("dynamoStreamEvent")["Records"][0], "record of aws:dynamodb", "a record of aws:dynamodb"),
        ({"dynamodb": {}, "eventName": "INSERT"}, "record of aws:dynamodb", "a record of aws:dynamodb"),
        ({"messageId": "1", "receiptHandle": "r", "body": ""}, "record of aws:sqs", "a record of aws:sqs"),
        ({"eventSource": "hunter2"}, "object", "no known service"),
        ({"Records": [{"eventSource": "hunter2"}]}, "records", "a list Records of 1 item"),
        ({"Records": []}, "records", "a list Records of 0 items"),
        ({"order": 1}, "object", "no known service"),
        (sample("sqsEvent")["Records"], "list of records", "a list of 2 records of aws:sqs, as EventBridge Pipes"),
        ([1, {"eventSource": "aws:sqs"}], "list", "a list of 2 items"),
        ([], "list", "a list of 0 items"),
        (None, "null", "None"),
        (7, "scalar", "a number"),
        (True, "scalar", "true or false"),
        (ToDict(), "to_dict", "an object of the class ToDict; pass the dictionary that its to_dict() gives"),
        (object(), "foreign", "an object of the class object"),
        (RecordView(SNS), "sns notification", "an SNS notification"),
        (aggregated(), "kpl", "Kinesis Producer Library"),
        (gzip.compress(b"hunter2", mtime=0), "gzip", "compressed by gzip"),
        (zlib.compress(b"hunter2"), "zlib", "compressed by zlib"),
        (bz2.compress(b"hunter2"), "bzip2", "compressed by bzip2"),
        (lzma.compress(b"hunter2"), "xz", "compressed by xz"),
        (b"\x28\xb5\x2f\xfd\x04\x00", "zstd", "compressed by Zstandard"),
        ("hunter2".encode("utf-16"), "utf-16", "UTF-16"),
        ("hunter2".encode("utf-32"), "utf-32", "UTF-32"),
        (b"\xff\x00\x01", "bytes", "bytes that are no text"),
        (b'{"a": 1}', "json", "JSON"),
        (bytearray(b"hunter2"), "text", "text"),
        (b"x^2 + y^2", "text", "text"),  # the first two bytes are those of zlib
        (b"BZhunter2", "text", "text"),
        (json.dumps(SNS), "json", "JSON of an SNS notification"),
        (json.dumps(json.dumps(SNS)), "json", "JSON of JSON of an SNS notification"),
        ("\ufeff[1]", "json", "JSON after a byte order mark"),
        (base64_of(json.dumps(SNS).encode()), "base64", "base64 of JSON of an SNS notification"),
        (base64_of(gzip.compress(b"hunter2", mtime=0)), "base64", "base64 of data compressed by gzip"),
        (base64_of(aggregated()), "base64", "base64 of several records"),
        ("password", "text", "text"),  # base64 too, of bytes that are nothing
        ("<a>hunter2</a>", "xml", "XML or HTML"),
        ("{'a': 'hunter2'}", "repr", "Python's str()"),
        ("  \n", "empty", "empty"),
        ("hunter2", "text", "text"),
        ("{hunter2", "text", "text"),
        ("[" * 100_000, "text", "text"),
    ],
)
def test_a_body_is_known_by_its_form(value: Any, name: str, words: str) -> None:
    seen_name, seen_words = shape_of(value)

    assert seen_name == name
    assert words in seen_words
    assert "hunter2" not in seen_words


class Raising(Mapping[str, Any]):
    """An object whose values cannot be had."""

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Any:
        return iter(["requestContext"])

    def __len__(self) -> int:
        return 1

    def __contains__(self, key: object) -> bool:
        return key == "requestContext"


def test_an_object_that_cannot_be_read_is_named_all_the_same() -> None:
    assert shape_of(Raising())[0] == "object"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from([*SNS, "Records", "Event"]), inner),
)


@given(JSON, st.sampled_from([lambda value: value, json.dumps, lambda value: base64_of(json.dumps(value).encode())]))
def test_every_body_has_a_name_and_words_that_do_not_depend_on_what_is_in_it(
    value: Any, encode: Callable[[Any], Any]
) -> None:
    _, words = shape_of(encode(value))

    assert len(words) < 300
    assert words.isascii()


@given(st.binary())
def test_all_bytes_have_a_name(data: bytes) -> None:
    name, words = shape_of(data)

    assert name
    assert words


def test_the_error_of_a_wrong_body_is_a_value_error_and_a_missing_key() -> None:
    error = WrongShapeError("This is not an order.")

    assert isinstance(error, ValueError)
    assert isinstance(error, KeyError)
    assert str(error) == "This is not an order."
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (type(twin), str(twin)) == (WrongShapeError, "This is not an order.")
