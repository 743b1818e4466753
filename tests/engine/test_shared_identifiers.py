"""AWS goes by identifiers: records that share one come again together, whatever became of each."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import BatchProcessor, Disposition, hookimpl, unordered
from batchcore_kinesis import KinesisSource
from batchcore_sqs import SQSSource
from tests.batches import batch_of, handle
from tests.drivers import Way


def shared(*pairs: tuple[str, str]) -> dict[str, Any]:
    """Make an event of messages with these identifiers and bodies."""
    event = batch_of(*(body for _, body in pairs))
    for record, (identifier, _) in zip(event["Records"], pairs, strict=True):
        record["messageId"] = identifier
    return event


class Checkpointed(SQSSource):
    @hookimpl
    def acknowledgement(self) -> Any:
        return "checkpoint"


class WithObjects(Checkpointed):
    """Names its records by objects, as Kafka does."""

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [{"offset": record["messageId"]} for record in records]


class WithoutIdentity(SQSSource):
    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [None for _ in records]


AGGREGATED = shared(("s1", "a"), ("s1", "b"), ("s1", "bad"), ("s1", "d"), ("s2", "e"))
SECOND = shared(("s0", "a"), ("s1", "b"), ("s1", "bad"), ("s2", "d"))


def positions(outcomes: Any) -> list[int]:
    return [outcome.position for outcome in outcomes]


@pytest.mark.parametrize("source", [Checkpointed(), WithObjects()], ids=["strings", "objects"])
@pytest.mark.parametrize(("event", "expected"), [(AGGREGATED, [0, 1, 2, 3, 4]), (SECOND, [1, 2, 3])])
def test_everything_from_the_first_record_of_the_checkpoints_identifier_comes_again(
    driver: Way, source: Any, event: Any, expected: list[int]
) -> None:
    processor = driver.processor(event_type=source)
    driver.call(processor, event, handle)
    result = processor.run(event, handle)
    assert positions(result.delivered_again) == expected
    assert [each.outcome.position for each in result.explain() if each.delivered_again] == expected


def test_explanation_names_the_reason_of_each() -> None:
    texts = [str(each) for each in BatchProcessor(Checkpointed()).run(SECOND, handle).explain()]
    twin = "another record of its identifier is not done, and AWS goes by identifiers"
    assert texts == [
        "s0: done; the handler returned",
        f"s1: delivered again; the handler returned; {twin}",
        "s1: delivered again; failed: ValueError: s1",
        "s2: delivered again; the handler returned; s1 before it is not done, and everything from there on comes again",
    ]


def test_message_that_came_twice_in_a_batch_comes_again_with_its_twin() -> None:
    result = BatchProcessor("sqs").run(shared(("m", "a"), ("n", "b"), ("m", "bad")), handle)
    assert positions(result.delivered_again) == [0, 2]
    assert [each.delivered_again for each in result.explain()] == [True, False, True]


def test_records_without_identity_share_none() -> None:
    processor = BatchProcessor(WithoutIdentity(), raise_on_entire_batch_failure=False)
    assert positions(processor.run(batch_of("a", "bad", "c"), handle).delivered_again) == [1]


@pytest.mark.parametrize("ordering", [unordered, None])
def test_dead_letter_waits_for_an_earlier_record_of_its_identifier(ordering: Any) -> None:
    delivered: list[int] = []

    class Letters:
        @hookimpl
        def deliver_dead_letter(self, outcome: Any) -> None:
            delivered.append(outcome.position)

    def handler(record: Any) -> None:
        if record["body"] == "dead":
            raise KeyError
        handle(record)

    processor = BatchProcessor(
        Checkpointed(), plugins=[Letters()], ordering=ordering, dispositions={KeyError: Disposition.DEAD_LETTER}
    )
    processor.run(shared(("s0", "dead"), ("s1", "dead"), ("s1", "bad"), ("s2", "dead")), handler)
    assert delivered == [0], "that of s1 comes again with the record that failed, and would be delivered twice"


def test_state_of_a_window_is_that_before_the_first_record_of_the_identifier() -> None:
    def record(identifier: str, data: str) -> dict[str, Any]:
        kinesis = {"sequenceNumber": identifier, "partitionKey": "p", "data": data}
        return {"eventSource": "aws:kinesis", "eventID": f"shard:{identifier}", "kinesis": kinesis}

    event = {
        "Records": [record("1", "a"), record("2", "b"), record("2", "c"), record("2", "bad"), record("3", "e")],
        "window": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:01:00Z"},
        "state": {"seen": 0},
        "shardId": "shard",
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
    }

    def count(record: Any, state: dict[str, Any]) -> None:
        if record["kinesis"]["data"] == "bad":
            raise ValueError
        state["seen"] += 1

    result = BatchProcessor(KinesisSource()).run(event, count)
    assert result.response["state"] == {"seen": 1}, "all three of 2 come again, and are counted then"
    assert positions(result.delivered_again) == [1, 2, 3, 4]


def test_identifiers_that_come_again_later_bring_back_all_between() -> None:
    event = shared(("a", "x"), ("b", "y"), ("a", "bad"))
    texts = [str(each) for each in BatchProcessor(Checkpointed()).run(event, handle).explain()]
    assert texts[0].endswith("another record of its identifier is not done, and AWS goes by identifiers")
    assert texts[1] == (
        "b: delivered again; the handler returned; a before it is not done, and everything from there on comes again"
    )
