"""The events that the factory makes are those of AWS, field by field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore_sqs import SQSRecord
from batchcore_sqs.events import SQSEvents
from batchcore_testing import Sent, make_event, make_record, removed


def shape(value: Any) -> Any:
    """Give what fields a value has, and of what types they are."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return type(value).__name__


@pytest.mark.parametrize(
    ("name", "sent"),
    [("sqsEvent", {}), ("snsSqsFifoEvent", {"resource": "orders.fifo", "key": "customer-1"})],
)
def test_a_record_has_the_fields_of_aws_and_no_others(
    sample: Callable[[str], Any], name: str, sent: dict[str, Any]
) -> None:
    made, expected = make_record("sqs", "hello", sent=sent), sample(name)["Records"][0]

    assert shape(made) == shape({**expected, "messageAttributes": {}})


def test_a_record_is_read_by_the_view() -> None:
    raw = make_record("sqs", {"order": 17}, sent={"attempt": 3})

    assert SQSRecord(raw).json_body == {"order": 17}
    assert SQSRecord(raw).attributes.approximate_receive_count == "3"


def test_a_record_fits_the_model() -> None:
    pytest.importorskip("pydantic")
    from batchcore_sqs.models import SqsRecordModel

    raw = make_record("sqs", {"order": 17})

    assert SqsRecordModel.model_validate(raw).messageId == raw["messageId"]


def test_messages_have_names_of_their_own_that_last_over_deliveries() -> None:
    first, second = (SQSEvents().record(Sent("x", number)) for number in (1, 2))
    again = SQSEvents().record(Sent("x", 1, attempt=2))

    assert first["messageId"] == again["messageId"] != second["messageId"]
    assert first["receiptHandle"] != again["receiptHandle"]


def test_any_field_is_overridden_at_any_depth_and_the_rest_stays() -> None:
    record = make_record("sqs", "x", body="y", attributes={"SenderId": "me", "AWSTraceHeader": "Root=1"})

    assert record["body"] == "y"
    assert record["attributes"]["SenderId"] == "me"
    assert record["attributes"]["AWSTraceHeader"] == "Root=1"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"


def test_a_field_is_taken_away() -> None:
    record = make_record("sqs", "x", receiptHandle=removed, attributes={"SenderId": removed})

    assert "receiptHandle" not in record
    assert "SenderId" not in record["attributes"]


def test_an_event_has_a_record_for_each_content() -> None:
    event = make_event("sqs", "a", {"b": 1}, awsRegion="us-east-1")

    assert [record["body"] for record in event["Records"]] == ["a", '{"b": 1}']
    assert {record["awsRegion"] for record in event["Records"]} == {"us-east-1"}
    assert len({record["messageId"] for record in event["Records"]}) == 2
