"""Where the same program behaves otherwise than with Powertools' imports, on purpose.

Each test shows both: what the user gets here, and what the user got there. It fails if Powertools mends its side.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

Twins = Callable[[str], tuple[Any, Any]]
Event = Callable[[str], Any]


def failing(*identifiers: str) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


@pytest.fixture
def batch(event: Event) -> dict[str, Any]:
    """Two messages, of which the second holds no JSON."""
    sample: dict[str, Any] = event("getting_started_sqs_event")
    return sample


def test_empty_batch_is_a_success_and_there_it_is_an_error(twins: Twins) -> None:
    ours, theirs = twins("getting_started/sqs.py")
    assert ours({"Records": []}) == failing()
    with pytest.raises(Exception, match="Unexpected batch event type"):
        theirs({"Records": []})


def test_fifo_queue_is_kept_in_order_by_the_plain_processor_and_there_it_is_not(
    twins: Twins, batch: dict[str, Any]
) -> None:
    batch["Records"].reverse()  # the first message fails
    first, second = batch["Records"]
    for record in batch["Records"]:
        record["eventSourceARN"] = "arn:aws:sqs:us-east-2:123456789012:orders.fifo"
        record["attributes"]["MessageGroupId"] = "a"
    ours, theirs = twins("getting_started/sqs.py")
    with pytest.raises(Exception, match="All records failed") as raised:
        ours(batch)
    assert raised.value.result.response == failing(first["messageId"], second["messageId"])
    assert ours.processor.success_messages == []
    assert theirs(batch) == failing(first["messageId"])
    assert theirs.processor.success_messages == [second]


def test_event_of_another_source_is_refused_before_the_first_record_and_there_each_record_fails(
    twins: Twins, event: Event
) -> None:
    kinesis = event("getting_started_kinesis_event")
    ours, theirs = twins("getting_started/sqs.py")
    with pytest.raises(ValueError, match="sqs") as raised:
        ours(kinesis)
    assert type(raised.value).__name__ == "UnexpectedBatchTypeError"
    with pytest.raises(Exception, match="All records failed"):
        theirs(kinesis)


def test_message_without_an_id_is_refused_before_the_first_record_and_there_after_the_last(
    twins: Twins, batch: dict[str, Any]
) -> None:
    del batch["Records"][1]["messageId"]
    ours, theirs = twins("getting_started/sqs.py")
    handled: dict[str, list[Any]] = {"ours": [], "theirs": []}

    def keep(name: str) -> Callable[[Any], Any]:
        def record_handler(record: Any) -> Any:
            handled[name].append(record.body)
            return record.json_body

        return record_handler

    ours.module.record_handler, theirs.module.record_handler = keep("ours"), keep("theirs")
    with pytest.raises(ValueError, match="messageId") as raised:
        ours(copy.deepcopy(batch))
    assert (type(raised.value).__name__, handled["ours"]) == ("RecordIdentityError", [])
    with pytest.raises(KeyError):
        theirs(copy.deepcopy(batch))
    assert len(handled["theirs"]) == 2


def test_decoding_error_names_the_field_and_there_it_does_not(twins: Twins, batch: dict[str, Any]) -> None:
    texts = []
    for program in twins("getting_started/sqs.py"):
        program(batch)
        ((_, exception, _),) = program.processor.exceptions
        texts.append(str(exception))
    assert texts == [
        "body is not JSON: Expecting value: line 1 column 1 (char 0)",
        "Expecting value: line 1 column 1 (char 0)",
    ]


def test_broken_base64_fails_its_record_and_there_it_is_read_as_something_else(twins: Twins, event: Event) -> None:
    batch = event("getting_started_kinesis_event")
    for record, data in zip(batch["Records"], ("e30=", "e3%0="), strict=True):
        record["kinesis"]["data"] = data
    broken = batch["Records"][1]["kinesis"]["sequenceNumber"]
    ours, theirs = twins("getting_started/kinesis.py")
    assert ours(batch) == failing(broken)
    assert theirs(batch) == failing()


def test_failure_is_logged_without_being_asked_for_and_there_it_is_not(
    twins: Twins, batch: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The identifier is logged, the body is not."""
    logged = []
    failed = batch["Records"][1]
    for program in twins("processed_messages/entries.py"):
        caplog.clear()
        with program.processor(records=batch["Records"], handler=lambda record: record.json_body) as processor:
            processor.process()
        logged.append([record.getMessage() for record in caplog.records if record.levelname != "DEBUG"])
    ours, theirs = logged
    assert [failed["messageId"] in message for message in ours] == [True]
    assert not any(failed["body"] in message for message in ours)
    assert theirs == []


def test_failures_under_asyncio_are_named_in_the_order_of_the_batch_and_there_as_they_came(
    twins: Twins, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both messages fail; the second does so first."""
    import asyncio

    batch = event("pydantic_sqs_event")
    batch["Records"].append({**batch["Records"][0], "messageId": "good"})
    first, second, _ = (record["messageId"] for record in batch["Records"])
    monkeypatch.setenv("ORDERS_URL", "http://127.0.0.1")

    def failing_in_reverse() -> Callable[[Any], Any]:
        second_failed = asyncio.Event()

        async def record_handler(record: Any) -> None:
            if record.message_id == first:
                await second_failed.wait()
            if record.message_id == second:
                second_failed.set()
            if record.message_id != "good":
                raise LookupError(record.message_id)

        return record_handler

    responses = []
    for program in twins("concurrency/async_http.py"):
        program.module.async_record_handler = failing_in_reverse()
        responses.append(program(batch))
    assert responses == [failing(first, second), failing(second, first)]


def test_processor_from_scratch_needs_neither_event_type_nor_response_and_there_it_needs_both(
    twins: Twins, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it writes to its table is in ``test_surroundings.py``; here it writes nothing."""
    import batchcore_sqs  # noqa: F401  # offers the source, as an installed package is found by its entry point

    monkeypatch.setenv("TABLE_NAME", "none")
    batch = event("custom_partial_processor_payload")
    ours, theirs = twins("extending/custom_processor.py")
    for program in (ours, theirs):
        monkeypatch.setattr(program.module.TableWriter, "_prepare", lambda _self: None)
        monkeypatch.setattr(program.module.TableWriter, "_clean", lambda _self: None)
    assert ours(batch) == failing(batch["Records"][1]["messageId"])
    with pytest.raises(AttributeError, match="event_type"):
        theirs(batch)
    theirs.processor.event_type = None
    with pytest.raises(AttributeError, match="response"):
        theirs(batch)
