"""The typed view of an SQS message."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcore_sqs import SQSMessageAttribute, SQSMessageAttributes, SQSRecord, SQSRecordAttributes

Sample = Callable[[str], dict[str, Any]]
SAMPLES = [
    "getting_started_sqs_event",
    "pydantic_sqs_event",
    "s3SqsEvent",
    "snsSqsEvent",
    "snsSqsFifoEvent",
    "sqsDlqTriggerEvent",
    "sqsEvent",
]


def attribute(**raw: Any) -> SQSMessageAttribute:
    return SQSMessageAttribute(raw)


@pytest.fixture
def raw(sample: Sample) -> dict[str, Any]:
    record: dict[str, Any] = sample("sqsEvent")["Records"][0]
    return record


@pytest.mark.parametrize("name", SAMPLES)
def test_every_field_of_every_sample_has_a_property(sample: Sample, name: str) -> None:
    for raw in sample(name)["Records"]:
        record = SQSRecord(raw)
        assert {
            "messageId": record.message_id,
            "receiptHandle": record.receipt_handle,
            "body": record.body,
            "attributes": record.attributes,
            "messageAttributes": record.message_attributes,
            "md5OfBody": record.md5_of_body,
            "eventSource": record.event_source,
            "eventSourceARN": record.event_source_arn,
            "awsRegion": record.aws_region,
        } == raw


def test_a_record_is_the_mapping_it_shows(raw: dict[str, Any]) -> None:
    record = SQSRecord(raw)
    assert record.raw_event is raw
    assert record == raw
    assert record == SQSRecord(copy.deepcopy(raw))
    assert record != SQSRecord({**raw, "body": "another"})
    assert dict(record) == raw
    assert record["body"] == raw["body"]
    assert record.get("nothing") is None


def test_attributes_have_a_property_each(sample: Sample) -> None:
    attributes = SQSRecord(sample("snsSqsFifoEvent")["Records"][0]).attributes
    assert isinstance(attributes, SQSRecordAttributes)
    assert attributes.approximate_receive_count == "1"
    assert attributes.sent_timestamp == "1665754525442"
    assert attributes.sender_id == "AIDAWYJAWPFU7SUQGUJC6"
    assert attributes.approximate_first_receive_timestamp == "1665754525442"
    assert attributes.sequence_number == "18873177232222703872"
    assert attributes.message_group_id == "powertools-test"
    assert attributes.message_deduplication_id == "4e0a0f61eed277a4b9e4c01d5722b07b0725e42fe782102abee5711adfac701f"
    assert attributes.aws_trace_header is None
    assert attributes.dead_letter_queue_source_arn is None


def test_optional_attributes_are_none_where_the_event_lacks_them(raw: dict[str, Any]) -> None:
    attributes = SQSRecord(raw).attributes
    assert attributes.sequence_number is None
    assert attributes.message_group_id is None
    assert attributes.message_deduplication_id is None


def test_a_trace_header_and_the_queue_before_a_dead_letter_queue_are_there_when_sent(sample: Sample) -> None:
    raw = sample("sqsDlqTriggerEvent")["Records"][0]
    raw["attributes"]["AWSTraceHeader"] = "Root=1-5759e988-bd862e3fe1be46a994272793"
    attributes = SQSRecord(raw).attributes
    assert attributes.aws_trace_header == "Root=1-5759e988-bd862e3fe1be46a994272793"
    assert attributes.dead_letter_queue_source_arn == raw["attributes"]["DeadLetterQueueSourceArn"]


def test_a_record_written_by_hand_has_empty_attributes(sample: Sample) -> None:
    record = SQSRecord(sample("custom_partial_processor_payload")["Records"][0])
    assert record.attributes == {}
    assert record.message_attributes == {}
    assert record.attributes.message_group_id is None
    assert record.md5_of_message_attributes is None


def test_the_digest_of_the_message_attributes_is_there_when_sent(raw: dict[str, Any]) -> None:
    assert SQSRecord({**raw, "md5OfMessageAttributes": "00484c68"}).md5_of_message_attributes == "00484c68"


def test_a_required_field_that_is_missing_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyError, match="receiptHandle"):
        _ = SQSRecord({"messageId": "1", "body": "b"}).receipt_handle


def test_a_json_body_is_decoded_once(sample: Sample) -> None:
    record = SQSRecord(sample("pydantic_sqs_event")["Records"][0])
    assert record.json_body == {"item": {"laptop": "amd"}}
    assert record.json_body is record.json_body


def test_a_body_that_is_not_json_is_an_error_without_the_body() -> None:
    record = SQSRecord({"body": '{"card": "4111",\n oops}'})
    with pytest.raises(json.JSONDecodeError, match=r"^body is not JSON: .*: line 2 column 2 \(char 18\)$") as caught:
        _ = record.json_body
    assert caught.value.doc == ""
    assert "4111" not in repr(caught.value) + str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))).startswith("body is not JSON")


def test_a_body_that_is_no_string_is_an_error_that_names_it() -> None:
    with pytest.raises(TypeError, match="body is of type dict, not a string of JSON"):
        _ = SQSRecord({"body": {"a": 1}}).json_body


@pytest.mark.parametrize(
    ("arn", "url"),
    [
        ("arn:aws:sqs:us-east-2:123456789012:my-queue", "https://sqs.us-east-2.amazonaws.com/123456789012/my-queue"),
        ("arn:aws:sqs:eu-west-1:1:a.fifo", "https://sqs.eu-west-1.amazonaws.com/1/a.fifo"),
        ("arn:aws-cn:sqs:cn-north-1:1:q", "https://sqs.cn-north-1.amazonaws.com.cn/1/q"),
        ("arn:aws-us-gov:sqs:us-gov-west-1:1:q", "https://sqs.us-gov-west-1.amazonaws.com/1/q"),
        ("arn:aws-iso:sqs:us-iso-east-1:1:q", "https://sqs.us-iso-east-1.c2s.ic.gov/1/q"),
        ("arn:aws-iso-b:sqs:us-isob-east-1:1:q", "https://sqs.us-isob-east-1.sc2s.sgov.gov/1/q"),
        ("arn:aws-eusc:sqs:eusc-de-east-1:1:q", "https://sqs.eusc-de-east-1.amazonaws.eu/1/q"),
        ("arn:aws-new:sqs:x-1:1:q", "https://sqs.x-1.amazonaws.com/1/q"),
    ],
)
def test_the_queue_url_follows_from_the_arn_and_its_partition(arn: str, url: str) -> None:
    assert SQSRecord({"eventSourceARN": arn}).queue_url == url


@pytest.mark.parametrize("arn", ["", "my-queue", "arn:aws:sqs:us-east-2:123456789012"])
def test_no_queue_url_follows_from_what_is_no_arn_of_a_queue(arn: str) -> None:
    with pytest.raises(ValueError, match="eventSourceARN is not the ARN of a queue"):
        _ = SQSRecord({"eventSourceARN": arn}).queue_url


def test_message_attributes_are_typed_by_name(raw: dict[str, Any]) -> None:
    attributes = SQSRecord(raw).message_attributes
    assert isinstance(attributes, SQSMessageAttributes)
    assert list(attributes) == ["testAttr"]
    one = attributes["testAttr"]
    assert isinstance(one, SQSMessageAttribute)
    assert (one.data_type, one.string_value, one.binary_value) == ("Number", "100", "base64Str")
    assert one == raw["messageAttributes"]["testAttr"]
    assert [type(value) for value in attributes.values()] == [SQSMessageAttribute]
    assert isinstance(attributes.get("testAttr"), SQSMessageAttribute)
    assert attributes.get("another") is None


def test_a_message_attribute_that_was_not_sent_is_an_error_that_names_it(raw: dict[str, Any]) -> None:
    with pytest.raises(KeyError, match="another"):
        _ = SQSRecord(raw).message_attributes["another"]


def test_values_of_a_message_attribute_that_are_not_there_are_none_or_empty() -> None:
    one = attribute(dataType="String")
    assert one.string_value is None
    assert one.binary_value is None
    assert one.string_list_values == []
    assert one.binary_list_values == []
    lists = attribute(dataType="String", stringListValues=["a"], binaryListValues=["YQ=="])
    assert (lists.string_list_values, lists.binary_list_values) == (["a"], ["YQ=="])


@pytest.mark.parametrize(
    ("one", "value"),
    [
        (attribute(dataType="String", stringValue="100"), "100"),
        (attribute(dataType="String.label", stringValue=""), ""),
        (attribute(dataType="Number", stringValue="100"), 100),
        (attribute(dataType="Number", stringValue="-0.10"), Decimal("-0.10")),
        (attribute(dataType="Number.float", stringValue="1e3"), Decimal(1000)),
        (attribute(dataType="Binary", binaryValue="AP8="), b"\x00\xff"),
        (attribute(dataType="Binary.png", binaryValue=""), b""),
    ],
)
def test_a_message_attribute_has_the_value_that_its_type_says(one: SQSMessageAttribute, value: object) -> None:
    assert one.value == value
    assert type(one.value) is type(value)


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (attribute(dataType="Number", stringValue="secret"), "type Number is not a number"),
        (attribute(dataType="Number", stringValue="NaN"), "type Number is not a number"),
        (attribute(dataType="Number"), "type Number has no stringValue"),
        (attribute(dataType="String", stringValue=None), "type String has no stringValue"),
        (attribute(dataType="Binary", binaryValue="secret!"), "binaryValue of a message attribute is not base64"),
        (attribute(dataType="Binary", binaryValue="c2Vj\ncmV0AA=="), "is not base64"),
        (attribute(dataType="Binary"), "binaryValue of a message attribute is not base64"),
        (attribute(dataType="Date", stringValue="secret"), "is of type String, Number or Binary, not Date"),
    ],
)
def test_a_message_attribute_that_is_not_what_its_type_says_is_an_error_without_the_value(
    one: SQSMessageAttribute, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        _ = one.value
    assert "secret" not in str(caught.value)


@given(st.text(alphabet="AQz09+/=-_ \nü", max_size=12))
def test_a_binary_value_is_base64_with_nothing_beside_it(text: str) -> None:
    one = attribute(dataType="Binary", binaryValue=text)
    if re.fullmatch(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", text):
        assert one.value == base64.b64decode(text)
    else:
        with pytest.raises(ValueError, match="is not base64"):
            _ = one.value


def test_an_sns_notification_in_the_body_is_typed(sample: Sample) -> None:
    record = SQSRecord(sample("snsSqsEvent")["Records"][0])
    message = record.decoded_nested_sns_event
    assert message == record.json_body
    assert message.type == message.get_type == "Notification"
    assert message.message_id == "d88d4479-6ec0-54fe-b63f-1cf9df4bb16e"
    assert message.topic_arn == "arn:aws:sns:eu-west-1:231436140809:powertools265"
    assert json.loads(message.message) == {"message": "hello world", "username": "lessa"}
    assert message.timestamp == "2021-01-19T10:07:07.287Z"
    assert message.signature_version == "1"
    assert (message.signature or "").startswith("tEo2i6Lw6")
    assert (message.signing_cert_url or "").endswith(".pem")
    assert (message.unsubscribe_url or "").startswith("https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe")
    assert message.subject is None
    assert message.sequence_number is None
    assert message.message_attributes == {}


def test_a_notification_of_a_fifo_topic_has_a_sequence_number_and_no_signature(sample: Sample) -> None:
    message = SQSRecord(sample("snsSqsFifoEvent")["Records"][0]).decoded_nested_sns_event
    assert message.sequence_number == "10000000000000004000"
    assert message.signature is None
    assert message.signature_version is None
    assert message.signing_cert_url is None


def test_a_notification_shows_subject_and_attributes_and_both_spellings_of_its_urls() -> None:
    body = {
        "Type": "Notification",
        "Subject": "orders",
        "MessageAttributes": {"kind": {"Type": "String", "Value": "new"}},
        "UnsubscribeUrl": "https://u",
        "SigningCertUrl": "https://c",
    }
    message = SQSRecord({"body": json.dumps(body)}).decoded_nested_sns_event
    assert message.subject == "orders"
    kind = message.message_attributes["kind"]
    assert (kind.type, kind.get_type, kind.value) == ("String", "String", "new")
    assert (message.unsubscribe_url, message.signing_cert_url) == ("https://u", "https://c")


def test_an_s3_event_in_the_body_is_typed(sample: Sample) -> None:
    event = SQSRecord(sample("s3SqsEvent")["Records"][0]).decoded_nested_s3_event
    record = event.record
    assert [record] == list(event.records)
    assert (event.bucket_name, event.object_key) == ("xxx", "test.pdf")
    assert (record.event_version, record.event_source, record.aws_region) == ("2.1", "aws:s3", "us-east-1")
    assert (record.event_time, record.event_name) == ("2023-04-12T20:43:38.021Z", "ObjectCreated:Put")
    assert record.user_identity.principal_id == "A1YQ72UWCM96UF"
    assert record.request_parameters.source_ip_address == "93.108.161.96"
    assert record.response_elements["x-amz-request-id"] == "YMSSR8BZJ2Y99K6P"
    assert record.glacier_event_data is None
    assert record.intelligent_tiering_event_data is None
    s3 = record.s3
    assert (s3.s3_schema_version, s3.configuration_id) == ("1.0", "SNS")
    assert (s3.bucket.name, s3.bucket.arn) == ("xxx", "arn:aws:s3:::xxx")
    assert s3.bucket.owner_identity.principal_id == "A1YQ72UWCM96UF"
    assert s3.object == s3.get_object
    assert (s3.object.key, s3.object.size, s3.object.etag) == ("test.pdf", 104681, "2e3ad1e983318bbd8e73b080e2997980")
    assert (s3.object.version_id, s3.object.sequencer) == ("yd3d4HaWOT2zguDLvIQLU6ptDTwKBnQV", "00643717F9F8B85354")


def s3_event(s3: dict[str, Any], **record: Any) -> Any:
    return SQSRecord({"body": json.dumps({"Records": [{"s3": s3, **record}]})}).decoded_nested_s3_event


def test_the_key_of_an_s3_object_is_decoded_by_the_event() -> None:
    event = s3_event({"object": {"key": "a+folder/caf%C3%A9.txt"}})
    assert event.record.s3.object.key == "a+folder/caf%C3%A9.txt"
    assert event.object_key == "a folder/café.txt"


def test_a_deleted_s3_object_has_no_size_and_no_tag() -> None:
    deleted = s3_event({"object": {"key": "k"}}).record.s3.object
    assert (deleted.size, deleted.etag, deleted.version_id, deleted.sequencer) == (None, "", None, None)


def test_an_s3_event_of_intelligent_tiering_names_its_object_otherwise() -> None:
    data = {"destinationAccessTier": "ARCHIVE_ACCESS"}
    event = s3_event({"get_object": {"key": "k"}}, intelligentTieringEventData=data)
    assert event.object_key == event.record.s3.object.key == event.record.s3.get_object.key == "k"
    assert event.record.intelligent_tiering_event_data.destination_access_tier == "ARCHIVE_ACCESS"


def test_an_s3_event_of_a_restore_says_until_when() -> None:
    restore = {"lifecycleRestorationExpiryTime": "1970-01-01T00:01:00.000Z", "lifecycleRestoreStorageClass": "GLACIER"}
    record = s3_event({}, glacierEventData={"restoreEventData": restore}).record
    data = record.glacier_event_data.restore_event_data
    assert data.lifecycle_restoration_expiry_time == "1970-01-01T00:01:00.000Z"
    assert data.lifecycle_restore_storage_class == "GLACIER"


@pytest.mark.parametrize("body", ["[1]", "null", '"text"', "7"])
def test_json_that_is_no_object_holds_no_event(body: str) -> None:
    record = SQSRecord({"body": body})
    with pytest.raises(ValueError, match="body is JSON, but no object"):
        _ = record.decoded_nested_sns_event
    with pytest.raises(ValueError, match="body is JSON, but no object"):
        _ = record.decoded_nested_s3_event


@pytest.mark.parametrize("decoded", [False, True])
def test_a_record_can_be_pickled_and_copied_decoded_or_not(sample: Sample, decoded: bool) -> None:
    record = SQSRecord(sample("pydantic_sqs_event")["Records"][0])
    if decoded:
        _ = record.json_body
    for twin in (pickle.loads(pickle.dumps(record)), copy.copy(record), copy.deepcopy(record)):
        assert type(twin) is SQSRecord
        assert twin == record
        assert twin.json_body == {"item": {"laptop": "amd"}}


def test_a_property_says_what_it_is() -> None:
    assert "parsed as JSON" in (SQSRecord.json_body.__doc__ or "")
    assert "as it was sent" in (SQSRecord.body.__doc__ or "")


def test_importing_the_package_offers_the_source_and_loads_nothing_heavy() -> None:
    program = (
        "import sys; before = set(sys.modules); import batchcore_sqs; new = set(sys.modules) - before\n"
        "heavy = {'typing', 'inspect', 'dataclasses', 'asyncio', 'pydantic', 'base64', 'email', 'decimal', 'pluggy',"
        " 'urllib.parse', 'importlib_metadata', 'batchcore_sqs.models', 'batchcore_sqs.nested',"
        " 'batchcore.shapes'}\n"
        "assert not new & heavy, new & heavy\n"
        "from batchcore import BatchProcessor, EventType\n"
        "BatchProcessor(event_type=EventType.SQS)\n"
        "assert 'importlib_metadata' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-I", "-c", _with_path(program)], check=True)


def _with_path(program: str) -> str:
    return f"import sys; sys.path[:] = {sys.path!r}\n{program}"
