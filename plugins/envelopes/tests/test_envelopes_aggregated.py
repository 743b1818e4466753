"""Records of users with an outcome each, and the response for the records that carried them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    Disposition,
    UnexpectedBatchTypeError,
    by_key,
    hookimpl,
    in_order,
    unordered,
)
from batchcore_envelopes import AggregateError, UserRecords, deaggregate
from batchcore_kinesis import KinesisStreamRecord, partition_key
from batchcore_testing import EventSourceMapping, Stream, make_event

QUIET = {"raise_on_entire_batch_failure": False}


def stream(*contents: Any) -> dict[str, Any]:
    """Make an event whose sequence numbers are s1, s2 and so on."""
    event: dict[str, Any] = make_event("kinesis", *contents)
    for number, record in enumerate(event["Records"], 1):
        record["kinesis"]["sequenceNumber"] = f"s{number}"
        record["eventID"] = f"shardId-000000000000:s{number}"
    return event


def handle(record: KinesisStreamRecord) -> Any:
    text = record.kinesis.data_as_text()
    if "bad" in text:
        raise ValueError(text)
    return text


async def handle_later(record: KinesisStreamRecord) -> Any:
    return handle(record)


DRIVERS: list[Callable[..., Any]] = [
    lambda event, **options: BatchProcessor("kinesis", plugins=[UserRecords()], **QUIET, **options).run(event, handle),
    lambda event, **options: BatchProcessor(
        "kinesis", plugins=[UserRecords()], max_concurrency=4, **QUIET, **options
    ).run(event, handle),
    lambda event, **options: AsyncBatchProcessor("kinesis", plugins=[UserRecords()], **QUIET, **options).run(
        event, handle_later
    ),
]
every_driver = pytest.mark.parametrize("run", DRIVERS, ids=["one by one", "in threads", "as tasks"])


@pytest.fixture
def mixed(kpl: Any) -> dict[str, Any]:
    """A plain record, an aggregate of four, whose third fails, and an aggregate of one."""
    four = kpl.aggregate(("ann", b"1a"), ("ben", b"1b"), ("ann", b"bad"), ("cy", b"1d"))
    return stream("0", four, kpl.aggregate(("ann", b"2a")))


@every_driver
def test_each_record_of_a_user_has_an_outcome_of_its_own(run: Any, mixed: dict[str, Any]) -> None:
    result = run(mixed)
    assert [(each.status, each.value) for each in result.outcomes] == [
        ("succeeded", "0"),
        ("succeeded", "1a"),
        ("succeeded", "1b"),
        ("failed", None),
        ("succeeded", "1d"),
        ("succeeded", "2a"),
    ]


@every_driver
def test_the_response_names_the_record_that_carried_them(run: Any, mixed: dict[str, Any]) -> None:
    assert run(mixed).response == {"batchItemFailures": [{"itemIdentifier": "s2"}]}


@every_driver
def test_a_record_is_named_once_and_the_lowest_first(run: Any, kpl: Any) -> None:
    two = kpl.aggregate(("ann", b"bad 1"), ("ben", b"bad 2"), ("ann", b"good"), ("ann", b"bad 3"))
    response = run(stream("0", two, "bad 4", two)).response
    assert response == {"batchItemFailures": [{"itemIdentifier": name} for name in ("s2", "s3", "s4")]}


@every_driver
def test_what_comes_again_is_told_from_the_first_record_of_the_number_on(run: Any, mixed: dict[str, Any]) -> None:
    result = run(mixed)
    assert [outcome.position for outcome in result.delivered_again] == [1, 2, 3, 4, 5]
    twin = "another record of its identifier is not done, and AWS goes by identifiers"
    assert [str(each) for each in result.explain()] == [
        "s1: done; the handler returned",
        f"s2: delivered again; the handler returned; {twin}",
        f"s2: delivered again; the handler returned; {twin}",
        "s2: delivered again; failed: ValueError: bad",
        f"s2: delivered again; the handler returned; {twin}",
        "s3: delivered again; the handler returned; s2 before it is not done, and everything from there on comes again",
    ]


def test_a_handler_gets_the_record_as_if_it_had_come_alone(kpl: Any) -> None:
    event = stream(kpl.aggregate(("ann", b'{"n": 1}', "17"), ("bén", b'{"n": 2}')))
    (carrier,) = event["Records"]
    before = json.dumps(event)
    records = BatchProcessor("kinesis", plugins=[UserRecords()]).run(event, lambda record: record).return_values
    first, second = [dict(record) for record in records]
    assert [record.kinesis.data_as_json() for record in records] == [{"n": 1}, {"n": 2}]
    assert [record.kinesis.partition_key for record in records] == ["ann", "bén"]
    assert [record.kinesis["subSequenceNumber"] for record in records] == [0, 1]
    assert first["kinesis"]["explicitHashKey"] == "17"
    assert "explicitHashKey" not in second["kinesis"]
    for record in (first, second):
        own = {"data", "explicitHashKey", "partitionKey", "subSequenceNumber"}
        assert {**record, "kinesis": None} == {**carrier, "kinesis": None}
        assert record["kinesis"].keys() | own == carrier["kinesis"].keys() | own
        assert {name: value for name, value in record["kinesis"].items() if name not in own} == {
            name: value for name, value in carrier["kinesis"].items() if name not in own
        }
    assert json.dumps(event) == before, "nothing is written into the event"


def test_what_awss_own_library_wrote_is_handled(written_by_aws: dict[str, bytes]) -> None:
    event = stream(*written_by_aws.values())
    result = BatchProcessor("kinesis", plugins=[UserRecords()]).run(
        event, lambda record: record.kinesis.data_as_bytes()
    )
    assert len(result.return_values) == 3 + 1 + 3 + 3 + 200
    assert set(result.batch.identifiers) == {"s1", "s2", "s3", "s4", "s5"}


def test_records_of_one_key_stay_in_order_however_they_were_carried(kpl: Any) -> None:
    seen: dict[str, list[str]] = {}

    def note(record: KinesisStreamRecord) -> None:
        seen.setdefault(record.kinesis.partition_key, []).append(record.kinesis.data_as_text())

    event = stream(*(kpl.aggregate(*((key, f"{n}".encode()) for key in "abc")) for n in range(20)))
    BatchProcessor("kinesis", plugins=[UserRecords()], max_concurrency=3).run(event, note)
    assert seen == {key: [str(n) for n in range(20)] for key in "abc"}


def test_a_lane_stops_behind_a_record_of_its_key_alone(kpl: Any) -> None:
    event = stream(kpl.aggregate(("ann", b"bad"), ("ben", b"1"), ("ann", b"2")), kpl.aggregate(("ben", b"3")))
    ordering = by_key(partition_key, on_failure="stop")
    result = DRIVERS[0](event, ordering=ordering)
    assert [each.status for each in result.outcomes] == ["failed", "succeeded", "not_attempted", "succeeded"]
    assert DRIVERS[0](event, ordering=in_order()).counts() == {"failed": 1, "not_attempted": 3}


one_of_a_user = st.tuples(st.sampled_from("abc"), st.sampled_from(["good", "good", "bad"]))
carried = st.lists(st.one_of(one_of_a_user, st.lists(one_of_a_user, max_size=4)), max_size=8)


@settings(max_examples=60, deadline=None)
@given(carried, st.sampled_from([0, 1, 2]))
def test_whatever_fails_the_response_is_that_for_what_was_delivered(
    request: pytest.FixtureRequest, batch: list[Any], driver: int
) -> None:
    """A carrying record is named if any record in it is not done, once, in order; and what comes again follows."""
    aggregate = request.getfixturevalue("kpl").aggregate
    contents = [
        aggregate(*((key, text.encode()) for key, text in each)) if isinstance(each, list) else each[1]
        for each in batch
    ]
    result = DRIVERS[driver](stream(*contents))
    texts = [[text for _, text in each] if isinstance(each, list) else [each[1]] for each in batch]
    failed = [f"s{number}" for number, some in enumerate(texts, 1) if "bad" in some]
    assert [item["itemIdentifier"] for item in result.response["batchItemFailures"]] == failed
    flat = [(f"s{number}", text) for number, some in enumerate(texts, 1) for text in some]
    assert [(each.identifier, each.done) for each in result.outcomes] == [(name, text == "good") for name, text in flat]
    again = [at for at, (name, _) in enumerate(flat) if failed and int(name[1:]) >= int(failed[0][1:])]
    assert [each.position for each in result.delivered_again] == again
    assert [each.outcome.position for each in result.explain() if each.delivered_again] == again


# What breaks.


def broken(kpl: Any) -> dict[str, bytes]:
    whole = kpl.aggregate(("ann", b"1"), ("ben", b"2"))
    return {
        "a byte is another": whole[:9] + b"?" + whole[10:],
        "cut off": whole[:-1],
        "no more than the start": whole[:4],
        "the last record names no key": kpl.sealed(
            kpl.field(1, b"ann") + b"".join(kpl.field(3, kpl.field(1, n) + kpl.field(3, b"d")) for n in (0, 0, 1))
        ),
    }


@every_driver
@pytest.mark.parametrize(
    "how", ["a byte is another", "cut off", "no more than the start", "the last record names no key"]
)
def test_an_aggregate_that_is_broken_costs_itself_alone(run: Any, how: str, kpl: Any) -> None:
    result = run(stream(kpl.aggregate(("ann", b"1")), broken(kpl)[how], kpl.aggregate(("ann", b"2"))))
    assert [each.status for each in result.outcomes] == ["succeeded", "failed", "succeeded"]
    assert isinstance(result.outcomes[1].exception, AggregateError)
    assert result.response == {"batchItemFailures": [{"itemIdentifier": "s2"}]}


def test_data_that_only_begins_like_one_in_base64_is_not_touched() -> None:
    event = stream(b"\xf3\x89\x9a\xf0 other bytes", b"\xf3\x89\x9a", "text")
    result = BatchProcessor("kinesis", plugins=[UserRecords()]).run(
        event, lambda record: record.kinesis.data_as_bytes()
    )
    assert result.return_values == [b"\xf3\x89\x9a\xf0 other bytes", b"\xf3\x89\x9a", b"text"]
    assert all("subSequenceNumber" not in record["kinesis"] for record in result.batch.records)


def test_data_that_is_no_base64_costs_its_record_alone(kpl: Any) -> None:
    event = stream(kpl.aggregate(("ann", b"1")), "x", "y")
    event["Records"][1]["kinesis"]["data"] = "84mawg!!"
    event["Records"][2]["kinesis"]["data"] = 17
    result = DRIVERS[0](event)
    assert [each.status for each in result.outcomes] == ["succeeded", "failed", "failed"]


def test_the_data_of_a_user_is_not_taken_apart_a_second_time(kpl: Any) -> None:
    inner = kpl.aggregate(("ann", b"1"), ("ann", b"2"))
    event = stream(kpl.aggregate(("ben", inner)))
    result = BatchProcessor("kinesis", plugins=[UserRecords()]).run(
        event, lambda record: record.kinesis.data_as_bytes()
    )
    assert result.return_values == [inner]


def test_an_aggregate_of_nothing_is_done(kpl: Any) -> None:
    assert DRIVERS[0](stream(kpl.aggregate())).response == {"batchItemFailures": []}
    result = DRIVERS[0](stream("bad", kpl.aggregate(), "1"))
    assert [each.status for each in result.outcomes] == ["failed", "succeeded"]


def test_records_of_other_sources_are_left_alone(sample: Any) -> None:
    for source, event in (
        ("sqs", sample("getting_started_sqs_event")),
        ("dynamodb", sample("getting_started_dynamodb_event")),
    ):
        result = BatchProcessor(source, plugins=[UserRecords()]).run(event, lambda record: None)
        assert list(result.batch.records) == event["Records"]


class FlatKinesis:
    """A pipe's records: a list, flat, named by their eventID."""

    name = "flat"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, list)

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [record["eventID"] for record in records]


def test_flat_records_of_a_pipe_are_taken_apart_too(kpl: Any) -> None:
    event = [
        {"eventSource": "aws:kinesis", "eventID": "shard:1", "sequenceNumber": "1", "partitionKey": "p", "data": data}
        for data in [base64.b64encode(kpl.aggregate(("ann", b"1"), ("ben", b"bad"), ("ann", b"bad"))).decode()]
    ]

    def handler(record: Any) -> Any:
        if base64.b64decode(record["data"]) == b"bad":
            raise ValueError
        return record["partitionKey"]

    result = BatchProcessor(FlatKinesis(), plugins=[UserRecords()]).run(event, handler)
    assert [each.value for each in result.outcomes] == ["ann", None, None]
    assert result.response == {"batchItemFailures": [{"itemIdentifier": "shard:1"}]}


def test_a_source_that_gives_no_records_is_told_so_by_the_core() -> None:
    class Wrong(FlatKinesis):
        @hookimpl
        def extract_records(self, event: Any) -> Any:
            return event[0]

    for given_records in ("text", {"a": 1}, 5):
        with pytest.raises(UnexpectedBatchTypeError, match="A batch is a list of records"):
            BatchProcessor(Wrong(), plugins=[UserRecords()]).run([given_records], lambda record: None)


# The context manager has records, and no event.


def test_under_the_context_manager_records_are_taken_apart_by_the_caller(mixed: dict[str, Any]) -> None:
    processor = BatchProcessor("kinesis", plugins=[UserRecords()])
    with processor(records=deaggregate(mixed["Records"]), handler=handle):
        processor.process()
    assert processor.response() == {"batchItemFailures": [{"itemIdentifier": "s2"}]}
    assert len(processor.success_messages) == 5


def test_records_that_nobody_took_apart_fail_and_say_what_to_do(mixed: dict[str, Any]) -> None:
    processor = BatchProcessor("kinesis", plugins=[UserRecords()])
    with processor(records=mixed["Records"], handler=handle):
        processor.process()
    assert processor.response() == {"batchItemFailures": [{"itemIdentifier": "s2"}, {"itemIdentifier": "s3"}]}
    assert "holds 4 records" in str(processor.exceptions[0][1])
    assert "deaggregate(records)" in str(processor.exceptions[0][1])


# Beside other parts.


def test_the_log_says_which_of_an_aggregate_has_failed(mixed: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    DRIVERS[0](mixed)
    (line,) = [record for record in caplog.records if hasattr(record, "record_description")]
    described = vars(line)["record_description"]
    assert described == {
        "stream": "orders",
        "shard_id": "shardId-000000000000",
        "partition_key": "ann",
        "user_record": 2,
    }


def test_the_state_of_a_window_is_that_before_the_first_of_an_aggregate_that_comes_again(kpl: Any) -> None:
    event = {
        **stream("0", kpl.aggregate(("ann", b"1"), ("ann", b"2"), ("ann", b"bad")), "4"),
        "window": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:01:00Z"},
        "state": {"seen": 5},
    }

    def count(record: KinesisStreamRecord, state: dict[str, Any]) -> None:
        handle(record)
        state["seen"] += 1

    response = BatchProcessor("kinesis", plugins=[UserRecords()]).run(event, count).response
    assert response == {
        "batchItemFailures": [{"itemIdentifier": "s2"}, {"itemIdentifier": "s3"}],
        "state": {"seen": 6},
    }


def test_a_dead_letter_is_the_record_of_the_user_and_not_all_of_them(kpl: Any) -> None:
    delivered: list[Any] = []

    class Letters:
        @hookimpl
        def deliver_dead_letter(self, outcome: Any, batch: Any) -> None:
            delivered.append(json.loads(batch.original_message(outcome.record).body)["kinesis"])

    processor = BatchProcessor(
        "kinesis", plugins=[UserRecords(), Letters()], dispositions={ValueError: Disposition.DEAD_LETTER}
    )
    event = stream(kpl.aggregate(("ann", b"1"), ("ben", b"bad"), ("ann", b"3")))
    result = processor.run(event, handle)
    assert result.response == {"batchItemFailures": []}
    assert [(each["partitionKey"], base64.b64decode(each["data"])) for each in delivered] == [("ben", b"bad")]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_concurrency": 3},
        {"ordering": in_order(on_failure="continue")},
        {"ordering": unordered},
    ],
    ids=["by key", "by key in threads", "in order", "unordered"],
)
def test_a_dead_letter_is_delivered_once_although_others_of_its_aggregate_fail_at_first(
    kpl: Any, options: dict[str, Any]
) -> None:
    delivered: list[bytes] = []
    attempts: list[str] = []

    class Letters:
        @hookimpl
        def deliver_dead_letter(self, outcome: Any, batch: Any) -> None:
            delivered.append(base64.b64decode(outcome.record["kinesis"]["data"]))

    def handler(record: KinesisStreamRecord) -> None:
        text = handle(record)
        attempts.append(text)
        if text == "flaky" and attempts.count(text) < 3:
            raise ConnectionError

    processor = BatchProcessor(
        "kinesis",
        plugins=[UserRecords(), Letters()],
        dispositions={ValueError: Disposition.DEAD_LETTER},
        **QUIET,
        **options,
    )
    event = stream("0", kpl.aggregate(("ann", b"bad 1"), ("ben", b"flaky")), kpl.aggregate(("ann", b"bad 2")))
    while processor.run(event, handler).response["batchItemFailures"]:
        del event["Records"][: 1 if event["Records"][0]["kinesis"]["sequenceNumber"] == "s1" else 0]
    assert delivered == [b"bad 1", b"bad 2"]


def test_nothing_is_lost_on_a_stream_until_it_is_drained(kpl: Any) -> None:
    """Each aggregate comes again until all of it has succeeded; no record of a user is missed meanwhile."""
    source = Stream("kinesis", shards=2)
    expected: list[str] = []
    for number in range(12):
        parts = [(f"key-{part}", f"{number}-{part}".encode()) for part in range(3)]
        expected += [data.decode() for _, data in parts]
        source.send(kpl.aggregate(*parts), key=f"shard-{number}")
    tries: dict[str, int] = {}
    done: list[str] = []

    def flaky(record: KinesisStreamRecord) -> None:
        text = record.kinesis.data_as_text()
        tries[text] = tries.get(text, 0) + 1
        if (sum(map(ord, text)) + tries[text]) % 5 == 0:
            raise ConnectionError(text)
        done.append(text)

    processor = BatchProcessor("kinesis", plugins=[UserRecords()], **QUIET)
    mapping = EventSourceMapping(source, lambda event, context: processor.run(event, flaky, context).response)
    history = mapping.drain()
    assert history.lost == []
    assert set(done) == set(expected)
    assert max(tries.values()) > 1
