"""Protobuf in keys and values: the class follows from the message indexes, in each framing.

The indexes are what ProtobufSerializer of confluent-kafka 2.16.1 writes, and Glue's serializer for Java.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from uuid import UUID

import pytest

pytest.importorskip("google.protobuf", reason="the extra protobuf is not installed")

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message_factory import GetMessageClass

from batchcore import ConfigurationError
from batchcore_kafka.events import KafkaEvents, signed_headers
from batchcore_kafka.protobuf import ProtobufValues
from batchcore_testing import make_record

GUID, VERSION = "0a844328-508d-4232-8288-6560598bbbf9", "12345678-1234-5678-1234-567812345678"
HEADER = b"\1" + UUID(GUID).bytes
GLUE = b"\3\0" + UUID(VERSION).bytes


def file_of_messages() -> Any:
    """Make what a generated module has: First and its Inner, Second and its Inner, Third, each with a number."""
    file = descriptor_pb2.FileDescriptorProto(name="kafka_orders.proto", package="shop", syntax="proto3")
    for name in ("First", "Second", "Third"):
        message = file.message_type.add(name=name)
        message.field.add(name="n", number=1, type=3, label=1)
        message.field.add(name=f"of_{name.lower()}", number=2, type=9, label=1)
        if name != "Third":
            message.nested_type.add(name="Inner").field.add(name="n", number=1, type=3, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindFileByName("kafka_orders.proto")


FILE = file_of_messages()
FIRST, SECOND, THIRD = (GetMessageClass(FILE.message_types_by_name[name]) for name in ("First", "Second", "Third"))
CONTENT = bytes.fromhex("0811")  # n: 17
NAMES = ["First", "First.Inner", "Second", "Second.Inner", "Third"]
INDEXES = {
    "First": "00",
    "Second": "0202",
    "Third": "0204",
    "First.Inner": "040000",
    "Second.Inner": "040200",
}


def record(value: bytes | None, headers: list[tuple[str, bytes | None]] | None = None) -> Any:
    encoded = None if value is None else b64encode(value).decode()
    return make_record(KafkaEvents(), b"", headers=signed_headers(headers or []), value=encoded)


def name_of(message: Any) -> str:
    assert message.n == 17
    name: str = message.DESCRIPTOR.full_name
    return name.removeprefix("shop.")


@pytest.mark.parametrize("name", NAMES)
def test_the_class_follows_from_the_indexes_behind_a_prefix(name: str) -> None:
    made = record(b"\0\0\0\0\7" + bytes.fromhex(INDEXES[name]) + CONTENT)

    for schema in (FILE, FIRST, THIRD):
        for framing in ("confluent", "confluent-prefix"):
            assert name_of(ProtobufValues({7: schema}, framing).value(made)) == name  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("name", NAMES)
def test_the_class_follows_from_the_indexes_in_a_header(name: str) -> None:
    made = record(CONTENT, [("__value_schema_id", HEADER + bytes.fromhex(INDEXES[name]))])

    assert name_of(ProtobufValues({GUID: FILE}).value(made)) == name


@pytest.mark.parametrize(("index", "name"), list(enumerate(NAMES)))
def test_the_class_follows_from_the_index_of_glue_which_counts_by_names(index: int, name: str) -> None:
    assert name_of(ProtobufValues({VERSION: FILE}, "glue").value(record(GLUE + bytes([index]) + CONTENT))) == name


def test_without_a_frame_there_is_one_class() -> None:
    assert name_of(ProtobufValues(SECOND, "none").value(record(CONTENT))) == "Second"
    assert ProtobufValues(SECOND, "none").value(record(b"")) == SECOND()


def test_a_tombstone_is_none_and_an_empty_message_is_not() -> None:
    values = ProtobufValues({7: FILE})

    assert values.value(record(None)) is None
    assert values.value(record(b"\0\0\0\0\7\0")) == FIRST()


def test_a_message_that_is_not_to_be_taken_fails_instead_of_being_read_as_another() -> None:
    """Second has fields of the same numbers as First, and would be one without an error."""
    values = ProtobufValues({7: FILE}, only=[FIRST])

    assert name_of(values.value(record(b"\0\0\0\0\7\0" + CONTENT))) == "First"
    with pytest.raises(ValueError, match=r"a message shop\.Second, and that is not to be taken"):
        values.value(record(b"\0\0\0\0\7\2\2" + CONTENT))


@pytest.mark.parametrize(
    "indexes",
    [
        "",  # cut off
        "02",
        "0400",
        "0206",  # there is no fourth
        "040002",
        "0102",  # as versions before 2.11 wrote the third, not zigzag
        "0201",  # negative
        "ca01",  # a count of 101
        "ffffffffff01",  # longer than 32 bits
    ],
)
def test_indexes_that_lead_nowhere_are_an_error(indexes: str) -> None:
    frame = bytes.fromhex(indexes)

    with pytest.raises(ValueError, match=r"no message indexes that lead to a message of kafka_orders\.proto"):
        ProtobufValues({7: FILE}).value(record(b"\0\0\0\0\7" + frame))
    with pytest.raises(ValueError, match="no message indexes"):
        ProtobufValues({GUID: FILE}).value(record(CONTENT, [("__value_schema_id", HEADER + frame)]))


def test_what_follows_the_indexes_in_a_header_is_an_error() -> None:
    with pytest.raises(ValueError, match="no message indexes"):
        ProtobufValues({GUID: FILE}).value(record(CONTENT, [("__value_schema_id", HEADER + b"\0\0")]))


@pytest.mark.parametrize("index", [b"", b"\5", b"\x80"])
def test_an_index_of_glue_that_leads_nowhere_is_an_error(index: bytes) -> None:
    with pytest.raises(ValueError, match="no message indexes"):
        ProtobufValues({VERSION: FILE}, "glue").value(record(GLUE + index))


def test_content_that_is_no_message_is_an_error_that_quotes_nothing() -> None:
    with pytest.raises(ValueError, match=r"value is no message shop\.First of Protobuf") as caught:
        ProtobufValues({7: FILE}).value(record(b"\0\0\0\0\7\0" + b"secret"))
    assert caught.value.__context__ is None
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("schemas", "framing", "message"),
    [
        ({7: "orders.proto"}, "confluent", "a generated module, its DESCRIPTOR or a message class"),
        (FILE, "none", "is a message class"),
        ({7: FILE}, "protobuf", "framing is one of"),
        (FILE, "glue", "schemas is a mapping"),
    ],
)
def test_wrong_use_is_an_error_before_the_first_record(schemas: Any, framing: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        ProtobufValues(schemas, framing)
