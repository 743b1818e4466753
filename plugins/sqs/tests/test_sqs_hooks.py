"""What the SQS source tells batchcore."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

import batchcore_sqs
from batchcore import (
    Batch,
    BatchProcessor,
    EventType,
    Message,
    Outcome,
    RecordIdentityError,
    UnexpectedBatchTypeError,
    by_key,
    hookimpl,
    process_partial_response,
)
from batchcore_sqs import SQS, SQSFifoCircuitBreakerError, SQSRecord, message_group

Sample = Callable[[str], dict[str, Any]]
MINE = [
    "custom_partial_processor_payload",
    "getting_started_sqs_event",
    "pydantic_sqs_event",
    "s3SqsEvent",
    "snsSqsEvent",
    "snsSqsFifoEvent",
    "sqsDlqTriggerEvent",
    "sqsEvent",
]
NOT_MINE = [
    "activeMQEvent",
    "dynamoStreamEvent",
    "getting_started_sqs_response",
    "kafkaEventMsk",
    "kinesisFirehoseSQSEvent",
    "kinesisStreamEvent",
    "rabbitMQEvent",
    "s3BatchOperationEventSchemaV1",
]
STANDARD, FIFO = "arn:aws:sqs:eu-west-1:1:orders", "arn:aws:sqs:eu-west-1:1:orders.fifo"


def message(number: int, **fields: Any) -> dict[str, Any]:
    return {"messageId": f"id-{number}", "body": "{}", "eventSource": "aws:sqs", "eventSourceARN": STANDARD, **fields}


class Cursed(Mapping[str, Any]):
    """A record that raises whatever it is asked."""

    def __getitem__(self, key: str) -> Any:
        raise ZeroDivisionError

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_the_public_names_are_sorted_and_there() -> None:
    assert batchcore_sqs.__all__ == sorted(batchcore_sqs.__all__)
    assert all(hasattr(batchcore_sqs, name) for name in batchcore_sqs.__all__)


@pytest.mark.parametrize("name", MINE)
def test_events_of_sqs_are_claimed(sample: Sample, name: str) -> None:
    assert SQS.claims_event(sample(name)) is True


@pytest.mark.parametrize("name", NOT_MINE)
def test_events_of_others_are_not_claimed(sample: Sample, name: str) -> None:
    assert SQS.claims_event(sample(name)) is False


def test_an_empty_list_of_records_is_claimed() -> None:
    assert SQS.claims_event({"Records": []}) is True


def test_an_event_may_be_any_mapping() -> None:
    assert SQS.claims_event(MappingProxyType({"Records": [MappingProxyType(message(1))]})) is True


@pytest.mark.parametrize(
    "event", [None, [], "Records", 7, b"x", {}, {"records": []}, {"Records": None}, object(), Cursed()]
)
def test_what_is_no_event_is_not_claimed(event: object) -> None:
    assert SQS.claims_event(event) is False


@pytest.mark.parametrize("records", ["text", 7, {"eventSource": "aws:sqs"}, ({"eventSource": "aws:sqs"},)])
def test_records_that_are_no_list_are_not_claimed(records: object) -> None:
    assert SQS.claims_event({"Records": records}) is False


@pytest.mark.parametrize(
    "stranger",
    [
        None,
        "text",
        7,
        [],
        [message(2)],
        {},
        message(2, eventSource="aws:kinesis"),
        message(2, eventSource=None),
        message(2, eventSource=["aws:sqs"]),
        message(2, eventSource={"aws:sqs": 1}),
        {"messageId": "without a body"},
        {"body": "without an id"},
        {"EventSource": "aws:sns", "Sns": {}},
        Cursed(),
    ],
)
def test_one_stranger_among_the_records_and_the_event_is_not_claimed(stranger: object) -> None:
    assert SQS.claims_event({"Records": [message(1), stranger]}) is False
    assert SQS.claims_event({"Records": [stranger]}) is False


def test_records_without_an_event_source_may_stand_beside_records_with_one() -> None:
    assert SQS.claims_event({"Records": [message(1), {"messageId": "2", "body": ""}]}) is True


def test_the_records_are_given_as_they_are() -> None:
    records = [message(1)]
    assert SQS.extract_records({"Records": records}) is records


def test_a_message_is_identified_by_its_message_id() -> None:
    assert SQS.identify_records([message(1), message(1), message(2)]) == ["id-1", "id-1", "id-2"]
    assert SQS.identify_records([]) == []


def test_an_id_may_be_of_a_subclass_of_str() -> None:
    class Id(str):
        __slots__ = ()

    assert SQS.identify_records([message(1, messageId=Id("x"))]) == ["x"]


@pytest.mark.parametrize(
    ("broken", "seen"),
    [
        ({"body": "secret"}, "has no messageId"),
        (message(1, messageId="", body="secret"), "has a messageId that is empty"),
        (message(1, messageId=None), "has a messageId of type NoneType"),
        (message(1, messageId=7), "has a messageId of type int"),
        (message(1, messageId=["secret"]), "has a messageId of type list"),
        ("secret", "is no object but of type str"),
        (None, "is no object but of type NoneType"),
    ],
)
def test_a_record_that_cannot_be_named_is_an_error_with_its_position_and_without_its_body(
    broken: object, seen: str
) -> None:
    with pytest.raises(RecordIdentityError, match=f"Record 1 of the batch, counting from 0, {seen}") as caught:
        SQS.identify_records([message(0), broken, message(2)])
    assert caught.value.position == 1
    assert "secret" not in str(caught.value)


def test_a_batch_with_a_record_that_cannot_be_named_is_refused_before_the_first_record() -> None:
    seen: list[object] = []
    with pytest.raises(RecordIdentityError):
        process_partial_response(
            {"Records": [message(0), message(1, messageId="")]}, seen.append, BatchProcessor(event_type=EventType.SQS)
        )
    assert seen == []


def test_an_event_of_another_source_is_refused(sample: Sample) -> None:
    with pytest.raises(UnexpectedBatchTypeError):
        process_partial_response(sample("kinesisStreamEvent"), print, BatchProcessor(event_type=EventType.SQS))


def test_the_sample_event_has_the_sample_response(sample: Sample) -> None:
    def handle(record: SQSRecord) -> Any:
        assert isinstance(record, SQSRecord)
        return record.json_body

    processor = BatchProcessor(event_type=EventType.SQS)
    response = process_partial_response(sample("getting_started_sqs_event"), handle, processor)
    assert response == sample("getting_started_sqs_response")


def test_a_record_that_a_handler_got_can_be_pickled_with_what_it_decoded(sample: Sample) -> None:
    def handle(record: SQSRecord) -> SQSRecord:
        _ = record.json_body
        twin: SQSRecord = pickle.loads(pickle.dumps(record))
        assert copy.copy(record) == twin == record
        return twin

    result = BatchProcessor(event_type=EventType.SQS).run(sample("pydantic_sqs_event"), handle)
    assert [twin.json_body["item"] for twin in result.return_values] == [{"laptop": "amd"}, {"keyboard": "classic"}]


def test_a_standard_queue_is_unordered_though_its_messages_have_groups() -> None:
    grouped = {"MessageGroupId": "a"}
    event = {"Records": [message(n, attributes=grouped, body="bad" if n == 0 else "{}") for n in range(3)]}
    response = process_partial_response(event, lambda r: r.json_body, BatchProcessor(event_type="sqs"))
    assert response == {"batchItemFailures": [{"itemIdentifier": "id-0"}]}


def test_a_fifo_queue_is_known_by_its_name_and_stops_at_the_first_failure() -> None:
    event = {"Records": [message(n, eventSourceARN=FIFO, body="bad" if n == 1 else "{}") for n in range(4)]}
    processor = BatchProcessor(event_type="sqs")
    response = process_partial_response(event, lambda record: record.json_body, processor)
    assert response == {"batchItemFailures": [{"itemIdentifier": f"id-{n}"} for n in (1, 2, 3)]}
    assert [kind for kind, _, _ in processor.exceptions[1:]] == [SQSFifoCircuitBreakerError] * 2
    assert str(processor.exceptions[1][1]) == "A previous record failed processing."


@pytest.mark.parametrize("arn", [None, 7, ["orders.fifo"]])
def test_a_queue_without_a_name_is_unordered(arn: object) -> None:
    event = {"Records": [message(n, eventSourceARN=arn, body="bad" if n == 0 else "{}") for n in range(2)]}
    response = process_partial_response(event, lambda r: r.json_body, BatchProcessor(event_type="sqs"))
    assert response == {"batchItemFailures": [{"itemIdentifier": "id-0"}]}


def test_an_empty_batch_is_a_success() -> None:
    response = process_partial_response({"Records": []}, print, BatchProcessor(event_type="sqs"))
    assert response == {"batchItemFailures": []}


def test_messages_are_acknowledged_one_by_one() -> None:
    assert SQS.acknowledgement() == "record"


@pytest.mark.parametrize(("count", "attempt"), [("1", 1), ("12", 12), (3, 3)])
def test_the_delivery_attempt_is_the_receive_count(count: object, attempt: int) -> None:
    assert SQS.delivery_attempt(message(1, attributes={"ApproximateReceiveCount": count})) == attempt


@pytest.mark.parametrize(
    "attributes", [None, [], {}, *({"ApproximateReceiveCount": n} for n in ("", "x", None, "0", "-1"))]
)
def test_the_delivery_attempt_is_unknown_where_there_is_no_such_count(attributes: object) -> None:
    assert SQS.delivery_attempt(message(1, attributes=attributes)) is None
    assert SQS.delivery_attempt({}) is None


def test_a_message_is_described_by_queue_and_group_and_never_by_its_body() -> None:
    described = SQS.describe_record(message(1, body="secret", attributes={"MessageGroupId": "a"}))
    assert described == {"queue": "orders", "message_group_id": "a"}


@pytest.mark.parametrize("record", [{}, {"attributes": None, "eventSourceARN": None}, {"attributes": []}])
def test_a_message_of_which_nothing_is_known_has_an_empty_description(record: dict[str, Any]) -> None:
    assert SQS.describe_record(record) == {}


# The message that a record was.


def test_a_record_becomes_the_message_that_was_sent(queue: Any, make_queue: Callable[..., Any], sqs: Any) -> None:
    attributes = {
        "text": {"DataType": "String.name", "StringValue": "tea"},
        "number": {"DataType": "Number", "StringValue": "1.50"},
        "bytes": {"DataType": "Binary.png", "BinaryValue": bytes(range(256))},
    }
    sent = sqs.send_message(QueueUrl=queue.url, MessageBody=' {"naïve": "✓"} ', MessageAttributes=attributes)
    (record,) = queue.receive()["Records"]
    original = SQS.original_message(record)
    assert isinstance(original, Message)
    assert (original.body, original.attributes, original.group) == (' {"naïve": "✓"} ', attributes, None)

    again = sqs.send_message(
        QueueUrl=make_queue().url, MessageBody=original.body, MessageAttributes=original.attributes
    )
    digests = ("MD5OfMessageBody", "MD5OfMessageAttributes")
    assert [again[name] for name in digests] == [sent[name] for name in digests]


def test_the_message_of_a_fifo_queue_has_its_group(fifo_queue: Any) -> None:
    fifo_queue.send("x", group="red")
    (record,) = fifo_queue.receive()["Records"]
    assert SQS.original_message(record).group == "red"


def test_a_message_goes_on_with_the_trace_header_that_it_came_with(queue: Any, sqs: Any) -> None:
    header = {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}
    sqs.send_message(QueueUrl=queue.url, MessageBody="x", MessageSystemAttributes={"AWSTraceHeader": header})
    (record,) = queue.receive()["Records"]
    assert SQS.original_message(record).trace_header == header["StringValue"]


@pytest.mark.parametrize("fields", [{"attributes": {}}, {"attributes": None}, {"attributes": "none"}])
def test_a_message_may_have_no_trace_header(fields: dict[str, Any]) -> None:
    assert SQS.original_message(message(1, **fields)).trace_header is None


def test_lists_and_values_that_are_none_are_no_part_of_a_message() -> None:
    attribute = {
        "dataType": "String",
        "stringValue": "",
        "binaryValue": None,
        "stringListValues": [],
        "binaryListValues": ["MQ=="],
    }
    original = SQS.original_message(message(1, messageAttributes={"a": attribute}))
    assert original.attributes == {"a": {"DataType": "String", "StringValue": ""}}


@pytest.mark.parametrize("fields", [{}, {"messageAttributes": None}, {"messageAttributes": {}}])
def test_a_message_may_have_no_attributes(fields: dict[str, Any]) -> None:
    original = SQS.original_message(message(1, **fields))
    assert (original.body, original.attributes, original.group) == ("{}", {}, None)


BROKEN_ATTRIBUTES = [
    {"dataType": "Binary", "binaryValue": "not base64"},
    {"dataType": "Binary", "binaryValue": 17},
    {"dataType": "String", "stringValue": 17},
    {"dataType": "String", "stringValue": "x", "binaryValue": "AAE="},
    {"dataType": "String"},
    {"dataType": None, "stringValue": "x"},
    {"stringValue": "x"},
    {},
    None,
    17,
    ["x"],
]


@pytest.mark.parametrize("attribute", BROKEN_ATTRIBUTES, ids=repr)
def test_an_attribute_that_sqs_would_not_take_is_sent_as_its_json(attribute: Any) -> None:
    right = {"dataType": "Number", "stringValue": "1"}
    original = SQS.original_message(message(1, messageAttributes={"a": attribute, "b": right}))
    assert original.attributes == {
        "a": {"DataType": "String", "StringValue": json.dumps(attribute)},
        "b": {"DataType": "Number", "StringValue": "1"},
    }


@pytest.mark.parametrize("attributes", [17, "x", ["x"]], ids=repr)
def test_a_message_whose_attributes_are_no_object_is_sent_without_them(attributes: Any) -> None:
    original = SQS.original_message(message(1, messageAttributes=attributes))
    assert (original.body, original.attributes) == ("{}", {})


@pytest.mark.parametrize("body", [None, 17, "", ["x"], {"a": 1}], ids=repr)
def test_a_message_without_a_body_is_sent_as_its_json(body: Any) -> None:
    record = message(1, body=body)
    assert json.loads(SQS.original_message(record).body) == record


def test_a_message_that_has_no_body_at_all_is_sent_as_its_json() -> None:
    record = {"messageId": "1", "eventSource": "aws:sqs"}
    assert json.loads(SQS.original_message(record).body) == record


def test_a_message_that_has_no_body_becomes_a_dead_letter_once_it_was_tried_often_enough() -> None:
    letters: list[Message] = []

    class KeptDeadLetters:
        @hookimpl
        def deliver_dead_letter(self, outcome: Outcome, batch: Batch) -> None:
            letters.append(batch.original_message(outcome.record))

    record = {
        "messageId": "1",
        "eventSource": "aws:sqs",
        "attributes": {"ApproximateReceiveCount": "3"},
        "messageAttributes": {"a": {"dataType": "Binary", "binaryValue": "not base64"}},
    }
    processor = BatchProcessor("sqs", dead_letter_after=3, plugins=[KeptDeadLetters()])

    result = processor.run({"Records": [record]}, lambda record: record.body)

    assert result.response == {"batchItemFailures": []}
    assert [json.loads(letter.body) for letter in letters] == [record]


@pytest.mark.parametrize("group", [17, {}, ["red"], None], ids=repr)
def test_a_group_that_is_no_text_is_none(group: Any) -> None:
    assert SQS.original_message(message(1, attributes={"MessageGroupId": group})).group is None


def test_messages_of_a_standard_queue_can_be_ordered_by_their_group() -> None:
    bodies = {"a": "bad", "b": "{}"}
    event = {"Records": [message(n, attributes={"MessageGroupId": g}, body=bodies[g]) for n, g in enumerate("aba")]}
    processor = BatchProcessor(event_type="sqs", ordering=by_key(message_group))
    result = processor.run(event, lambda record: record.json_body)
    assert [outcome.status for outcome in result.outcomes] == ["failed", "succeeded", "not_attempted"]


def test_a_record_of_another_source_has_no_message_group() -> None:
    with pytest.raises(ValueError, match="takes a record of SQS"):
        message_group({"kinesis": {"partitionKey": "k"}})
