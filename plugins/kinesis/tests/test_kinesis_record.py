"""The typed view of a record of a Kinesis data stream."""

from __future__ import annotations

import base64
import binascii
import copy
import gzip
import hashlib
import json
import pickle
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcore.binary import a2b_base64_checked, decode_base64
from batchcore_kinesis import KinesisStreamRecord, KinesisStreamRecordPayload

Sample = Callable[[str], dict[str, Any]]
SAMPLES = [
    "getting_started_kinesis_event",
    "kinesisStreamCloudWatchLogsEvent",
    "kinesisStreamEvent",
    "kinesisStreamEventOneRecord",
    "pydantic_kinesis_event",
]


def with_data(data: bytes) -> KinesisStreamRecordPayload:
    return KinesisStreamRecordPayload({"data": base64.b64encode(data).decode()})


@pytest.mark.parametrize("name", SAMPLES)
def test_every_field_of_every_sample_has_a_property(sample: Sample, name: str) -> None:
    for raw in sample(name)["Records"]:
        record = KinesisStreamRecord(raw)
        assert {
            "kinesis": record.kinesis,
            "eventSource": record.event_source,
            "eventVersion": record.event_version,
            "eventID": record.event_id,
            "eventName": record.event_name,
            "invokeIdentityArn": record.invoke_identity_arn,
            "awsRegion": record.aws_region,
            "eventSourceARN": record.event_source_arn,
        } == raw
        payload = record.kinesis
        assert {
            "kinesisSchemaVersion": payload.kinesis_schema_version,
            "partitionKey": payload.partition_key,
            "sequenceNumber": payload.sequence_number,
            "data": payload.data,
            "approximateArrivalTimestamp": payload.approximate_arrival_timestamp,
        } == raw["kinesis"]


def test_a_record_is_the_mapping_it_shows(sample: Sample) -> None:
    raw = sample("kinesisStreamEvent")["Records"][0]
    record = KinesisStreamRecord(raw)
    assert record == raw
    assert record == KinesisStreamRecord(copy.deepcopy(raw))
    assert record != KinesisStreamRecord(sample("kinesisStreamEvent")["Records"][1])
    assert dict(record) == raw
    assert record["kinesis"]["data"] == record.kinesis.data
    assert record.kinesis is record.kinesis


def test_the_encryption_type_is_there_when_sent() -> None:
    assert KinesisStreamRecordPayload({"encryptionType": "KMS"}).encryption_type == "KMS"
    assert KinesisStreamRecordPayload({}).encryption_type is None


def test_a_required_field_that_is_missing_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyError, match="partitionKey"):
        _ = KinesisStreamRecordPayload({}).partition_key
    with pytest.raises(KeyError, match="data"):
        KinesisStreamRecordPayload({}).data_as_bytes()


@pytest.mark.parametrize("stamp", ["soon", None, [1]])
def test_an_arrival_time_that_is_no_number_is_an_error_that_names_it(stamp: object) -> None:
    with pytest.raises(ValueError, match="approximateArrivalTimestamp is not a number"):
        _ = KinesisStreamRecordPayload({"approximateArrivalTimestamp": stamp}).approximate_arrival_timestamp


def test_data_is_given_as_bytes_and_as_text(sample: Sample) -> None:
    payload = KinesisStreamRecord(sample("kinesisStreamEvent")["Records"][0]).kinesis
    assert payload.data_as_bytes() == b"Hello, this is a test."
    assert payload.data_as_text() == "Hello, this is a test."
    assert with_data("grüß dich".encode()).data_as_text() == "grüß dich"


def test_data_is_given_as_json(sample: Sample) -> None:
    payload = KinesisStreamRecord(sample("kinesisStreamEventOneRecord")["Records"][0]).kinesis
    assert payload.data_as_json() == {"message": "test message", "username": "test"}
    assert with_data(b"null").data_as_json() is None


def test_what_cloudwatch_logs_writes_is_decompressed(sample: Sample) -> None:
    payload = KinesisStreamRecord(sample("kinesisStreamCloudWatchLogsEvent")["Records"][0]).kinesis
    assert payload.data_zlib_compressed_as_json()["messageType"] == "DATA_MESSAGE"


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress], ids=["zlib", "gzip"])
def test_both_formats_of_compression_are_read(compress: Callable[[bytes], bytes]) -> None:
    assert with_data(compress(b'{"a": 1}')).data_zlib_compressed_as_json() == {"a": 1}


def test_data_is_decoded_once() -> None:
    payload = with_data(b'{"a": "some text of its own"}')
    assert payload.data_as_bytes() is payload.data_as_bytes()
    assert payload.data_as_text() is payload.data_as_text()
    assert payload.data_as_json() is payload.data_as_json()
    packed = with_data(zlib.compress(b'{"a": 1}'))
    assert packed.data_zlib_compressed_as_json() is packed.data_zlib_compressed_as_json()


@pytest.mark.parametrize(
    "data", ["secret", "c2VjcmV0!", "c2Vj\ncmV0", "YQ==secret==", "=", "grüßsecret", None, 7, ["YQ=="]]
)
def test_data_that_is_not_base64_is_an_error_without_the_data(data: object) -> None:
    with pytest.raises(binascii.Error, match=r"^kinesis\.data is not base64: ") as caught:
        KinesisStreamRecordPayload({"data": data}).data_as_bytes()
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


def test_data_that_is_not_text_is_an_error_without_the_data() -> None:
    payload = with_data(b"secret \xff secret")
    with pytest.raises(
        UnicodeDecodeError, match=r"kinesis\.data is not UTF-8: invalid start byte at position 7"
    ) as caught:
        payload.data_as_text()
    assert caught.value.object == b""
    assert "secret" not in str(caught.value)
    assert payload.data_as_bytes() == b"secret \xff secret"


def test_data_that_is_not_json_is_an_error_without_the_data() -> None:
    with pytest.raises(json.JSONDecodeError, match=r"^kinesis\.data is not JSON: .* \(char 0\)$") as caught:
        with_data(b"secret").data_as_json()
    assert caught.value.doc == ""
    assert "secret" not in str(caught.value)


def aggregated(message: bytes = b"\x0a\x06hunter") -> bytes:
    """Make what the Kinesis Producer Library makes of several records: its mark, a message, a checksum."""
    return b"\xf3\x89\x9a\xc2" + message + hashlib.md5(message, usedforsecurity=False).digest()


READINGS: list[Callable[[KinesisStreamRecordPayload], Any]] = [
    KinesisStreamRecordPayload.data_as_text,
    KinesisStreamRecordPayload.data_as_json,
    KinesisStreamRecordPayload.data_zlib_compressed_as_json,
]


@pytest.mark.parametrize("read", READINGS)
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            aggregated(),
            "several records that the Kinesis Producer Library .* aggregated into one; take it apart with UserRecords",
        ),
        (aggregated(b""), "Kinesis Producer Library"),
        (b"\x28\xb5\x2f\xfd\x04\x00hunter", "compressed by Zstandard"),
        ('{"a": "hunter"}'.encode("utf-16"), "UTF-16, by its byte order mark"),
        ('{"a": "hunter"}'.encode("utf-32"), "UTF-32, by its byte order mark"),
    ],
)
def test_data_that_is_something_else_is_an_error_that_says_what_it_is(
    read: Callable[[KinesisStreamRecordPayload], Any], data: bytes, says: str
) -> None:
    payload = with_data(data)
    with pytest.raises((ValueError, zlib.error), match=rf"^kinesis\.data is not .* It is .*{says}") as caught:
        read(payload)
    assert "hunter" not in f"{caught.value} {caught.value!r}"
    assert payload.data_as_bytes() == data, "what to take apart or decompress can still be had"


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress], ids=["zlib", "gzip"])
@pytest.mark.parametrize("read", READINGS[:2])
def test_compressed_data_is_named_where_it_is_read_as_it_is(
    compress: Callable[[bytes], bytes], read: Callable[[KinesisStreamRecordPayload], Any]
) -> None:
    with pytest.raises(ValueError, match=rf"It is data compressed by {compress.__module__}; decompress it first"):
        read(with_data(compress(b'{"a": 1}')))


def test_a_byte_order_mark_before_json_is_skipped_and_part_of_the_text() -> None:
    payload = with_data(b'\xef\xbb\xbf{"a": 1}')
    assert payload.data_as_json() == {"a": 1}
    assert payload.data_as_text() == '\ufeff{"a": 1}'


def test_a_record_of_something_else_is_a_value_error_that_says_what_it_is() -> None:
    with pytest.raises(ValueError, match="has an object kinesis, and this has none: it is a record of aws:sqs"):
        _ = KinesisStreamRecord({"messageId": "1", "receiptHandle": "r", "eventSource": "aws:sqs"}).kinesis
    with pytest.raises(ValueError, match="has an object kinesis, and this has none"):
        _ = KinesisStreamRecord({"kinesis": "text"}).kinesis


def test_data_that_is_not_compressed_is_an_error_that_says_so() -> None:
    with pytest.raises(zlib.error, match=r"^kinesis\.data is not compressed by zlib or gzip: "):
        with_data(b"plain").data_zlib_compressed_as_json()


def test_an_error_is_not_kept_for_a_decoded_value() -> None:
    payload = with_data(b"no json")
    for _ in range(2):
        with pytest.raises(json.JSONDecodeError):
            payload.data_as_json()
    assert payload.data_as_text() == "no json"


@given(st.binary())
def test_base64_is_read_as_it_was_written(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    assert decode_base64(text, "data") == a2b_base64_checked(text) == data


@given(st.text(alphabet="AQz09+/=-_ \nü", max_size=12))
def test_base64_is_read_with_nothing_beside_it(text: str) -> None:
    whole = re.fullmatch(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", text)
    if whole:
        assert a2b_base64_checked(text) == base64.b64decode(text)
    else:
        with pytest.raises(ValueError, match=r"\w"):
            a2b_base64_checked(text)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="binascii has no strict mode before Python 3.11")
@given(st.text(alphabet="AQz0+=- \n", max_size=12))
def test_on_python_3_10_base64_is_read_as_strictly_as_later(text: str) -> None:
    try:
        strict = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        strict = None
    try:
        checked = a2b_base64_checked(text)
    except ValueError:
        checked = None
    # The one thing that strict mode forgives on some versions is padding after a whole group.
    if not re.fullmatch(r"([A-Za-z0-9+/]{4})+=+", text):
        assert checked == strict


@pytest.mark.parametrize("decoded", [False, True])
def test_a_record_can_be_pickled_and_copied_decoded_or_not(sample: Sample, decoded: bool) -> None:
    record = KinesisStreamRecord(sample("kinesisStreamEventOneRecord")["Records"][0])
    if decoded:
        record.kinesis.data_as_json()
    for twin in (pickle.loads(pickle.dumps(record)), copy.copy(record), copy.deepcopy(record)):
        assert type(twin) is KinesisStreamRecord
        assert twin == record
        assert twin.kinesis.data_as_json()["username"] == "test"


def test_a_property_says_what_it_is() -> None:
    assert "What the producer wrote" in (KinesisStreamRecord.kinesis.__doc__ or "")


def test_importing_the_package_offers_the_source_and_loads_nothing_heavy() -> None:
    program = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "before = set(sys.modules); import batchcore_kinesis; new = set(sys.modules) - before\n"
        "heavy = {'typing', 'inspect', 'dataclasses', 'asyncio', 'pydantic', 'base64', 'zlib', 'email', 'pluggy',"
        " 'importlib_metadata', 'batchcore_kinesis.models', 'batchcore.shapes'}\n"
        "assert not new & heavy, new & heavy\n"
        "from batchcore import BatchProcessor, EventType\n"
        "BatchProcessor(event_type=EventType.KinesisDataStreams)\n"
        "assert 'importlib_metadata' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-I", "-c", program], check=True)
