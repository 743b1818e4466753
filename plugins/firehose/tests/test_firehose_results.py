"""What Firehose is answered: a result for each record, in the order of the batch, and never more than Lambda takes."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    DeadLetterRecord,
    DropRecord,
    StopBatch,
    WholeBatchRetry,
    hookimpl,
    in_order,
)
from batchcore_firehose import FirehoseRecord, FirehoseResult
from batchcore_firehose.events import FirehoseEvents
from batchcore_testing import make_event

LIMIT = 6 * 1024 * 1024
QUIET = logging.Logger("quiet")  # noqa: LOG001 - in no hierarchy, where pytest would keep what is logged
QUIET.addHandler(logging.NullHandler())


def processor_of(kind: type[Any] = BatchProcessor, **options: Any) -> Any:
    return kind("firehose", raise_on_entire_batch_failure=False, **{"logger": QUIET, **options})


def answered(event: Any, handler: Callable[[Any], Any], **options: Any) -> list[Any]:
    records: list[Any] = processor_of(**options).run(event, handler).response["records"]
    return records


def returning(value: Any) -> Any:
    """Give the one result of a handler that returns something."""
    (entry,) = answered(make_event("firehose", "as it came"), lambda record: value)
    return entry


def data(entry: Any) -> bytes:
    return b64decode(entry["data"], validate=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\xff\x00", b"\xff\x00"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"ab"), b"ab"),
        (b"", b""),
        ("text, as it is", b"text, as it is"),
        ("", b""),
        ("\u00e4", "\u00e4".encode()),
        ({"a": [1, None]}, b'{"a": [1, null]}\n'),
        ([], b"[]\n"),
        (0, b"0\n"),
        (False, b"false\n"),
        (FirehoseResult("text"), b"text"),
        (FirehoseResult({"a": 1}), b'{"a": 1}\n'),
        (None, b"as it came"),
        (FirehoseResult(), b"as it came"),
        (FirehoseResult(None, partition_keys={}), b"as it came"),
    ],
)
def test_what_a_handler_returns_is_the_new_data(value: Any, expected: bytes) -> None:
    entry = returning(value)

    assert entry["result"] == "Ok"
    assert data(entry) == expected
    json.dumps(entry)


def test_data_that_stays_is_not_decoded_and_encoded_again() -> None:
    event = make_event("firehose", "x")
    event["records"][0]["data"] = "eA=="[:2]  # no good base64, and nobody has asked

    (entry,) = answered(event, lambda record: None)

    assert entry["data"] == "eA"


def test_a_result_says_more() -> None:
    metadata = {"destinationTableName": "orders", "operation": "insert"}
    entry = returning(FirehoseResult("x", partition_keys={"customer": "17"}, otf_metadata=metadata))

    assert entry["metadata"] == {"partitionKeys": {"customer": "17"}, "otfMetadata": metadata}
    assert returning(FirehoseResult("x", partition_keys={"a": "b"}))["metadata"] == {"partitionKeys": {"a": "b"}}
    assert "metadata" not in returning(FirehoseResult("x"))


@pytest.mark.parametrize("keys", [{"year": 2026}, {1: "x"}, {"a": None}, "year", ["year"]])
def test_keys_that_are_no_text_fail_the_record_where_it_is_returned(keys: Any) -> None:
    def handler(record: FirehoseRecord) -> Any:
        return FirehoseResult("x", partition_keys=keys)

    result = processor_of().run(make_event("firehose", "a"), handler)

    (outcome,) = result.outcomes
    assert (outcome.status, type(outcome.exception)) == ("failed", TypeError)
    assert "partitionKeys" in str(outcome.exception)


class Hostile(dict):  # type: ignore[type-arg]
    def items(self) -> Any:
        raise ZeroDivisionError

    def __bool__(self) -> bool:
        return True


@pytest.mark.parametrize(
    "value",
    [object(), {1, 2}, float("nan"), {"a": float("inf")}, "\ud800", {"a": b"x"}, Hostile(a=1)],
    ids=["object", "set", "nan", "infinity", "surrogate", "bytes inside", "hostile"],
)
def test_what_cannot_be_data_fails_its_record_alone_and_is_logged(value: Any, caplog: Any) -> None:
    event = make_event("firehose", "a", "b")
    processor = BatchProcessor("firehose", raise_on_entire_batch_failure=False)
    result: Any = processor.run(event, lambda record: value if record.data_as_text() == "a" else None)

    first, second = result.response["records"]
    assert first == {"recordId": event["records"][0]["recordId"], "result": "ProcessingFailed", "data": "YQ=="}
    assert second["result"] == "Ok"
    assert [outcome.status for outcome in result.outcomes] == ["failed", "succeeded"]
    assert result.counts() == {"failed": 1, "succeeded": 1}
    (line,) = (line for line in caplog.records if line.levelname == "WARNING")
    assert event["records"][0]["recordId"] in line.getMessage()


def test_what_cannot_be_data_fails_a_batch_of_which_nothing_else_is_done() -> None:
    with pytest.raises(BatchProcessingError) as caught:
        BatchProcessor("firehose", logger=QUIET).run(make_event("firehose", "a"), lambda record: object())

    assert caught.value.result.response["records"][0]["result"] == "ProcessingFailed"


def test_a_result_of_what_cannot_be_data_is_a_failure_of_its_handler() -> None:
    result = processor_of().run(make_event("firehose", "a"), lambda record: FirehoseResult(object()))

    assert [outcome.status for outcome in result.outcomes] == ["failed"]


def fails(record: FirehoseRecord) -> None:
    raise ValueError(record.record_id)


def drops(record: FirehoseRecord) -> None:
    raise DropRecord


def test_a_record_that_failed_is_answered_with_its_data_as_it_came() -> None:
    event = make_event("firehose", "a")

    assert answered(event, fails) == [
        {"recordId": event["records"][0]["recordId"], "result": "ProcessingFailed", "data": event["records"][0]["data"]}
    ]


def test_a_record_that_a_plugin_prepared_is_answered_with_its_data_as_it_came() -> None:
    class Opens:
        @hookimpl(wrapper=True)
        def record_preparer(self) -> Any:
            yield
            return lambda record: {**record, "data": b64encode(b"opened").decode()}

    event, seen = make_event("firehose", "a", "b"), []

    def handler(record: FirehoseRecord) -> None:
        seen.append(record.data_as_text())
        if len(seen) == 2:
            raise ValueError

    entries = answered(event, handler, plugins=[Opens()])
    assert seen == ["opened", "opened"]
    assert [entry["data"] for entry in entries] == [record["data"] for record in event["records"]]


@pytest.mark.parametrize("content", [None, 17, [], "\ud800"])
def test_a_record_without_data_fails_and_breaks_nothing(content: Any, caplog: Any) -> None:
    event = make_event("firehose", "a", "b")
    event["records"][0]["data"] = content

    first, second = answered(event, lambda record: None)

    assert first == {"recordId": event["records"][0]["recordId"], "result": "ProcessingFailed"}
    assert second["result"] == "Ok"
    assert returning("new")["result"] == "Ok"


def test_a_record_without_data_may_get_some() -> None:
    event = make_event("firehose", "a")
    del event["records"][0]["data"]

    assert answered(event, lambda record: "new")[0]["data"] == "bmV3"


def test_what_is_dropped_is_dropped_and_so_is_a_dead_letter_that_somebody_has() -> None:
    letters: list[Any] = []

    class Deliverer:
        @hookimpl
        def deliver_dead_letter(self, outcome: Any) -> None:
            letters.append(outcome.identifier)

    def handler(record: FirehoseRecord) -> None:
        raise DeadLetterRecord if record.data_as_text() == "b" else DropRecord

    event = make_event("firehose", "a", "b")
    entries = answered(event, handler, plugins=[Deliverer()])

    assert entries == [{"recordId": record["recordId"], "result": "Dropped"} for record in event["records"]]
    assert letters == [event["records"][1]["recordId"]]


def test_results_are_in_the_order_of_the_records_however_they_ran() -> None:
    event = make_event("firehose", *map(str, range(20)))

    async def handler(record: FirehoseRecord) -> Any:
        number = int(record.data_as_text())
        await asyncio.sleep((20 - number) / 1000)
        if number % 5 == 0:
            raise ValueError
        return str(-number)

    entries = processor_of(AsyncBatchProcessor).run(event, handler).response["records"]

    assert [entry["recordId"] for entry in entries] == [record["recordId"] for record in event["records"]]
    assert [data(entry).decode() for entry in entries] == [str(n if n % 5 == 0 else -n) for n in range(20)]


def test_records_that_share_an_id_have_a_result_each() -> None:
    event = make_event("firehose", "a", "b", recordId="the same")

    first, second = answered(event, lambda record: fails(record) if record.data_as_text() == "a" else "new")

    assert first == {"recordId": "the same", "result": "ProcessingFailed", "data": "YQ=="}
    assert second == {"recordId": "the same", "result": "Ok", "data": "bmV3"}


def test_what_comes_from_msk_is_answered_under_its_name() -> None:
    event = make_event(FirehoseEvents("msk"), "a", "b", "c", "d")
    ids = [record["recordId"] for record in event["records"]]
    returned = {"a": "new", "b": None}

    def handler(record: FirehoseRecord) -> Any:
        text = record.data_as_text()
        return returned[text] if text in returned else (fails if text == "c" else drops)(record)

    assert answered(event, handler) == [
        {"recordId": ids[0], "result": "Ok", "kafkaRecordValue": "bmV3"},
        {"recordId": ids[1], "result": "Ok", "kafkaRecordValue": "Yg=="},
        {"recordId": ids[2], "result": "ProcessingFailed", "kafkaRecordValue": "Yw=="},
        {"recordId": ids[3], "result": "Dropped"},
    ]


# What was not tried.


@pytest.mark.parametrize("raises", [True, False])
def test_a_batch_of_which_a_record_was_not_tried_raises_whatever_was_told(raises: bool) -> None:
    processor = BatchProcessor("firehose", ordering=in_order(), raise_on_entire_batch_failure=raises, logger=QUIET)

    with pytest.raises(WholeBatchRetry, match="2 of 3 records were not tried"):
        processor.run(make_event("firehose", "a", "b", "c"), fails)


def test_a_batch_that_was_stopped_raises_unless_all_were_tried() -> None:
    def handler(record: FirehoseRecord) -> None:
        if record.data_as_text() == "b":
            raise StopBatch

    with pytest.raises(WholeBatchRetry, match="1 of 3 records") as caught:
        processor_of().run(make_event("firehose", "a", "b", "c"), handler)
    assert caught.value.__cause__ is not None

    results = answered(make_event("firehose", "a", "b"), handler)
    assert [entry["result"] for entry in results] == ["Ok", "ProcessingFailed"]


def test_a_record_that_was_tried_and_had_not_ended_in_time_has_failed_alone() -> None:
    class Context:
        deadline = time.monotonic() + 1

        def get_remaining_time_in_millis(self) -> int:
            return round((self.deadline - time.monotonic()) * 1000)

    async def handler(record: FirehoseRecord) -> str:
        if record.data_as_text() == "hangs":
            await asyncio.sleep(60)
        return "new"

    processor = processor_of(AsyncBatchProcessor, stop_before_timeout=0.7)
    response = processor.run(make_event("firehose", "a", "hangs"), handler, Context()).response

    assert [entry["result"] for entry in response["records"]] == ["Ok", "ProcessingFailed"]


def test_a_batch_of_which_all_failed_raises_unless_told_otherwise() -> None:
    with pytest.raises(BatchProcessingError):
        BatchProcessor("firehose", logger=QUIET).run(make_event("firehose", "a"), fails)


# What is too large.


def sized(*sizes: int, **options: Any) -> tuple[Any, list[Any]]:
    """Run a batch whose handler returns so many bytes for each record; give its event and results."""
    event = make_event("firehose", *map(str, sizes))
    response = processor_of(**options).run(event, lambda record: b"x" * int(record.data_as_text())).response
    assert len(json.dumps(response)) <= LIMIT
    return event, response["records"]


def kinds(entries: list[Any]) -> list[str]:
    return [{"Ok": "+", "ProcessingFailed": "-"}[entry["result"]] for entry in entries]


def test_the_largest_record_fails_where_the_response_would_be_too_large(caplog: Any) -> None:
    event, entries = sized(1_500_000, 2_500_000, 1_000_000, logger=None)

    assert kinds(entries) == ["+", "-", "+"]
    assert entries[1]["data"] == event["records"][1]["data"]
    (line,) = caplog.records
    assert event["records"][1]["recordId"] in line.getMessage()
    assert f"more than {LIMIT} bytes" in caplog.text
    assert "buffer size" in caplog.text


def test_as_many_fail_as_must_and_no_more() -> None:
    assert kinds(sized(2_000_000, 3_000_000, 100, 4_000_000, 1_000_000)[1]) == ["+", "-", "+", "-", "+"]


def test_a_response_that_just_fits_is_left_alone(caplog: Any) -> None:
    without_id = len(json.dumps({"records": [{"recordId": "", "result": "Ok", "data": ""}]}))
    event = make_event("firehose", "a", recordId="r" * ((LIMIT - without_id) % 4 or 4))
    around = without_id + len(event["records"][0]["recordId"])
    most = (LIMIT - around) // 4 * 3
    assert around + most // 3 * 4 == LIMIT

    assert kinds(answered(event, lambda record: b"x" * most)) == ["+"]
    assert caplog.records == []
    assert kinds(answered(event, lambda record: b"x" * (most + 1))) == ["-"]


def test_what_a_result_says_beside_its_data_counts_too() -> None:
    event = make_event("firehose", "a", "b")
    keys = {"\u00e4" * 10: "\u00e4" * 600_000}  # six bytes each in a response

    def handler(record: FirehoseRecord) -> Any:
        return FirehoseResult("x" * 2_400_000, partition_keys=keys if record.data_as_text() == "a" else {})

    response = processor_of().run(event, handler).response

    assert kinds(response["records"]) == ["-", "+"]
    assert len(json.dumps(response)) <= LIMIT


def test_a_batch_as_large_as_lambda_takes_can_fail() -> None:
    event = make_event("firehose", *["x" * 1_170_000] * 4)
    assert LIMIT * 0.98 < len(json.dumps(event)) < LIMIT

    response = processor_of().run(event, fails).response
    assert len(json.dumps(response)) <= LIMIT
    assert kinds(answered(event, lambda record: None)) == ["+"] * 4
    assert kinds(answered(event, lambda record: record.data_as_bytes() * 2)) == ["-", "-", "-", "-"]


def test_what_would_not_get_smaller_stays(caplog: Any) -> None:
    event = make_event("firehose", "x" * 4_000_000, "y", "z")

    def handler(record: FirehoseRecord) -> Any:
        return {"y": b"y" * 700_000, "z": b"z" * 600_000}.get(record.data_as_text()[:1])

    assert kinds(answered(event, handler)) == ["+", "-", "+"]


def test_many_small_records_are_counted_too() -> None:
    event = make_event("firehose", *["x"] * 30_000)
    assert len(json.dumps(event)) < LIMIT

    result = processor_of().run(event, lambda record: "0123456789" * 10)

    response = result.response
    assert LIMIT - 1000 < len(json.dumps(response)) <= LIMIT
    failed = kinds(response["records"]).count("-")
    assert 0 < failed < 30_000
    assert result.counts() == {"failed": failed, "succeeded": 30_000 - failed}


def test_a_record_that_has_failed_is_not_made_to_fail_again() -> None:
    event = make_event("firehose", "x" * 3_000_000, "y", "z")

    def handler(record: FirehoseRecord) -> Any:
        if record.data_as_text()[:1] == "x":
            raise ValueError("of its own")
        return b"0" * (1_000_000 if record.data_as_text() == "y" else 900_000)

    result: Any = processor_of().run(event, handler)
    assert kinds(result.response["records"]) == ["-", "-", "+"]
    assert [type(failure.exception).__name__ for failure in result.failures] == ["ValueError", "ResponseTooLarge"]


def test_a_result_shows_how_much_it_holds_and_not_what() -> None:
    assert repr(FirehoseResult(b"secret")) == "<FirehoseResult of 8 characters>"
    assert repr(FirehoseResult(partition_keys={"customer": "secret"})) == "<FirehoseResult of data as it came>"
