"""The processor for FIFO queues."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import (
    BatchProcessingError,
    BatchProcessor,
    ConfigurationError,
    Disposition,
    NotAttemptedError,
    hookimpl,
    process_partial_response,
)
from batchcore_sqs import (
    SQS,
    SQSFifoCircuitBreakerError,
    SQSFifoMessageGroupCircuitBreakerError,
    SqsFifoPartialProcessor,
    SQSRecord,
)

Sample = Callable[[str], dict[str, Any]]


def event(*messages: tuple[str | None, str], arn: str = "arn:aws:sqs:eu-west-1:1:orders.fifo") -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": str(number),
                "body": body,
                "attributes": {} if group is None else {"MessageGroupId": group},
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
            }
            for number, (group, body) in enumerate(messages)
        ]
    }


def failed(response: Any) -> list[str]:
    return [item["itemIdentifier"] for item in response["batchItemFailures"]]


def handle(record: SQSRecord) -> str:
    if record.body == "bad":
        raise ValueError(record.message_id)
    return record.body


MIXED = (("a", "ok"), ("a", "bad"), ("b", "ok"), ("a", "ok"), ("b", "bad"), ("c", "ok"), ("b", "ok"))


def test_after_a_failure_nothing_more_is_attempted() -> None:
    processor = SqsFifoPartialProcessor()
    response = process_partial_response(event(*MIXED), handle, processor)
    assert failed(response) == ["1", "2", "3", "4", "5", "6"]
    assert [kind for kind, _, _ in processor.exceptions] == [ValueError, *[SQSFifoCircuitBreakerError] * 5]


def test_with_skip_group_on_error_a_failure_stops_its_group_alone() -> None:
    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    response = process_partial_response(event(*MIXED), handle, processor)
    assert failed(response) == ["1", "3", "4", "6"]
    kinds = [kind for kind, _, _ in processor.exceptions]
    assert kinds == [ValueError, SQSFifoMessageGroupCircuitBreakerError] * 2
    assert str(processor.exceptions[1][1]) == "A previous record from this message group failed processing."
    assert [message["messageId"] for message in processor.success_messages] == ["0", "2", "5"]


def test_a_group_that_failed_is_attempted_again_in_the_next_batch() -> None:
    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    process_partial_response(event(("a", "bad"), ("b", "ok")), handle, processor)
    assert failed(process_partial_response(event(("a", "ok"), ("b", "ok")), handle, processor)) == []


def test_a_message_without_a_group_is_a_group_of_its_own() -> None:
    batch = event((None, "bad"), (None, "ok"), ("a", "ok"))
    assert failed(process_partial_response(batch, handle, SqsFifoPartialProcessor(skip_group_on_error=True))) == ["0"]


@pytest.mark.parametrize("attributes", [None, [], "a"])
def test_a_message_with_malformed_attributes_is_a_group_of_its_own(attributes: object) -> None:
    batch = event(("a", "bad"), ("a", "ok"))
    batch["Records"][1]["attributes"] = attributes
    assert failed(process_partial_response(batch, handle, SqsFifoPartialProcessor(skip_group_on_error=True))) == ["0"]


def test_it_is_strict_on_a_queue_of_any_name() -> None:
    batch = event(("a", "bad"), ("a", "ok"), ("a", "ok"), arn="arn:aws:sqs:eu-west-1:1:orders")
    processor = SqsFifoPartialProcessor(raise_on_entire_batch_failure=False)
    assert failed(process_partial_response(batch, handle, processor)) == ["0", "1", "2"]


def test_it_raises_when_the_whole_batch_failed_unless_told_not_to() -> None:
    batch = event(("a", "bad"), ("a", "ok"))
    with pytest.raises(BatchProcessingError) as caught:
        process_partial_response(batch, handle, SqsFifoPartialProcessor())
    assert caught.value.result is not None
    assert failed(caught.value.result.response) == ["0", "1"]
    processor = SqsFifoPartialProcessor(None, False, None, False)
    assert failed(process_partial_response(batch, handle, processor)) == ["0", "1"]


def test_a_poison_message_stops_its_group_like_a_failing_one() -> None:
    number = pytest.importorskip("pydantic").create_model("Number", messageId=(str, ...), body=(int, ...))
    batch = event(("a", "1"), ("a", "poison"), ("b", "2"), ("a", "3"))
    processor = SqsFifoPartialProcessor(model=number, skip_group_on_error=True)
    assert failed(process_partial_response(batch, lambda record: record.body, processor)) == ["1", "3"]
    assert isinstance(processor.fail_messages[0], SQSRecord)


def test_it_works_as_a_context_manager_and_in_a_subclass(sample: Sample) -> None:
    class Mine(SqsFifoPartialProcessor):
        def success_handler(self, record: Any, result: Any) -> Any:
            seen.append(record["messageId"])
            return super().success_handler(record, result)

    seen: list[str] = []
    processor = Mine()
    records = sample("snsSqsFifoEvent")["Records"]
    with processor(records=records, handler=handle):
        processor.process()
    assert processor.response() == {"batchItemFailures": []}
    assert seen == [records[0]["messageId"]]


def test_it_is_a_batch_processor_of_the_sqs_source() -> None:
    processor = SqsFifoPartialProcessor()
    assert isinstance(processor, BatchProcessor)
    assert processor.event_type is SQS


def test_groups_run_side_by_side_when_told_to_and_each_in_order() -> None:
    together = threading.Barrier(2, timeout=10)
    seen: list[str] = []

    def meet(record: SQSRecord) -> None:
        together.wait()  # breaks unless the other group is being handled now
        seen.append(record.body)

    batch = event(("a", "a1"), ("a", "a2"), ("b", "b1"), ("b", "b2"))
    processor = SqsFifoPartialProcessor(skip_group_on_error=True, max_concurrency=2)
    assert failed(process_partial_response(batch, meet, processor)) == []
    assert [body for body in seen if body[0] == "a"] == ["a1", "a2"]
    assert [body for body in seen if body[0] == "b"] == ["b1", "b2"]


def test_plugins_and_dispositions_are_passed_on() -> None:
    class Watch:
        @hookimpl
        def record_finished(self, outcome: Any) -> None:
            seen.append(outcome.status)

    seen: list[str] = []
    processor = SqsFifoPartialProcessor(plugins=[Watch()], dispositions={ValueError: Disposition.DROP})
    assert failed(process_partial_response(event(("a", "bad"), ("a", "ok")), handle, processor)) == []
    assert seen == ["dropped", "succeeded"]


def test_the_ordering_is_its_own_to_choose() -> None:
    with pytest.raises(TypeError, match="ordering"):
        SqsFifoPartialProcessor(ordering=None)  # type: ignore[call-arg]  # what the test is about


def test_a_model_of_another_source_is_refused() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Kinesis(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        __batch_source__ = "kinesis"

    with pytest.raises(ConfigurationError):
        SqsFifoPartialProcessor(model=Kinesis)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (SQSFifoCircuitBreakerError, "A previous record failed processing."),
        (
            SQSFifoMessageGroupCircuitBreakerError,
            "A previous record from this message group failed processing.",
        ),
    ],
)
def test_what_was_not_attempted_says_why(error: type[NotAttemptedError], text: str) -> None:
    assert issubclass(error, NotAttemptedError)
    assert str(error()) == text
    assert str(error("of mine")) == "of mine"
    assert str(pickle.loads(pickle.dumps(error()))) == text
