"""What the source says: which events are its own, what names a record, what depends on what, in both modes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    ConfigurationError,
    RecordIdentityError,
    UnexpectedBatchTypeError,
    by_key,
    process_partial_response,
)
from batchcore_kafka import Kafka, KafkaRecord, KafkaSource, record_key, topic_partition
from batchcore_kafka.events import KafkaEvents
from batchcore_testing import make_event, make_record, removed

SAMPLES = ("kafkaEventMsk", "kafkaEventSelfManaged")
QUEUE = KafkaSource(mode="queue")


def raw(topic: Any = "orders", partition: Any = 0, offset: Any = 0, content: Any = "x", **fields: Any) -> Any:
    return make_record(KafkaEvents(), content, topic=topic, partition=partition, offset=offset, **fields)


def event_of(*records: Any, **fields: Any) -> Any:
    return {"eventSource": "aws:kafka", "records": {"any name": list(records)}, **fields}


def named(response: Any) -> list[tuple[str, int]]:
    items = [failure["itemIdentifier"] for failure in response["batchItemFailures"]]
    assert all(item.keys() == {"partition", "offset"} for item in items)
    return [(item["partition"], item["offset"]) for item in items]


def failing(*offsets: int) -> Callable[[KafkaRecord], int]:
    def handler(record: KafkaRecord) -> int:
        if record.offset in offsets:
            raise ValueError(record.offset)
        return record.offset

    return handler


# Events.


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("source", [Kafka, "kafka", QUEUE, None])
def test_a_sample_is_processed(sample: Callable[[str], Any], name: str, source: Any) -> None:
    processor = BatchProcessor(source)

    assert process_partial_response(sample(name), failing(), processor) == {"batchItemFailures": []}
    with pytest.raises(Exception, match="All records failed"):
        process_partial_response(sample(name), failing(15), processor)


@pytest.mark.parametrize("event_source", ["aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka"])
def test_an_event_is_claimed_by_its_event_source(event_source: str) -> None:
    assert Kafka.claims_event(event_of(raw(), eventSource=event_source))
    assert Kafka.claims_event({"eventSource": event_source, "records": {}})


def test_an_event_written_by_hand_is_claimed_by_its_records() -> None:
    assert Kafka.claims_event({"records": {"t-0": [{"topic": "t", "partition": 0, "offset": 3}]}})


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "records",
        {},
        {"eventSource": "aws:kafka"},
        {"eventSource": "aws:kafka", "records": None},
        {"eventSource": "aws:kafka", "records": [raw()]},
        {"eventSource": "aws:kafka", "records": {"orders-0": raw()}},
        {"eventSource": "aws:sqs", "records": {"orders-0": [raw()]}},
        {"eventSource": ["aws:kafka"], "records": {"orders-0": [raw()]}},
        {"records": {}},
        {"records": {"q::/": [{"data": "x", "basicProperties": {}}]}},
        {"records": {"orders-0": [raw(), None]}},
        {"rmqMessagesByQueue": {"q": [raw()]}},
    ],
    ids=repr,
)
def test_any_other_event_is_not_claimed(event: Any) -> None:
    assert not Kafka.claims_event(event)
    with pytest.raises(UnexpectedBatchTypeError):
        BatchProcessor("kafka").run(event, failing())


def test_records_are_given_as_they_are_delivered_one_partition_after_the_other() -> None:
    event = make_event(KafkaEvents(), *"abcdef", lanes=3)
    given = Kafka.extract_records(event)

    assert [(record["partition"], record["offset"]) for record in given] == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
        (2, 0),
        (2, 1),
    ]
    assert given[0] is event["records"]["orders-0"][0]


# Names.


def test_a_record_is_named_by_itself_and_not_by_the_key_of_records() -> None:
    # AWS's library for Java has this in its tests: mytopic-01 for partition 0.
    event = {"eventSource": "aws:kafka", "records": {"mytopic-01": [raw("mytopic", 0, 15), raw("mytopic", 0, 16)]}}
    response = BatchProcessor("kafka").run(event, failing(16)).response

    assert response == {"batchItemFailures": [{"itemIdentifier": {"partition": "mytopic-0", "offset": 16}}]}


def test_the_name_of_a_topic_may_end_in_a_dash_and_digits() -> None:
    event = event_of(raw("orders-1", 2, 7), raw("orders", 12, 7), raw("orders", 1, 7), raw("orders-1-2", 0, 7))

    assert list(Kafka.identify_records(Kafka.extract_records(event))) == [
        {"partition": "orders-1-2", "offset": 7},
        {"partition": "orders-12", "offset": 7},
        {"partition": "orders-1", "offset": 7},
        {"partition": "orders-1-2-0", "offset": 7},
    ]


def test_partition_and_offset_may_come_as_text() -> None:
    event = event_of(raw(partition="3", offset="15"), raw(partition=3, offset=16), raw(partition="3", offset=17))
    response = BatchProcessor("kafka").run(event, failing(16)).response

    assert named(response) == [("orders-3", 16), ("orders-3", 17)]  # the text is the same lane as the number
    assert Kafka.identify_records(Kafka.extract_records(event))[0] == {"partition": "orders-3", "offset": 15}


@pytest.mark.parametrize("field", ["topic", "partition", "offset"])
@pytest.mark.parametrize("wrong", [removed, None, "", True, -1, 1.5, [], {"a": 1}], ids=repr)
def test_a_record_that_cannot_be_named_is_refused_with_its_batch(field: str, wrong: Any) -> None:
    calls: list[Any] = []

    with pytest.raises(RecordIdentityError, match=f"Record 1 .*{field}") as caught:
        BatchProcessor("kafka").run(event_of(raw(), raw(**{field: wrong}), raw()), calls.append)

    assert calls == []
    assert caught.value.position == 1


def test_identifiers_are_a_sequence_that_no_handler_changes() -> None:
    places = [("a", 0), ("a", 0), ("a-0", 1), ("a", 0), ("a", 300), ("a", 300)]
    records = [raw(topic, partition, offset) for offset, (topic, partition) in enumerate(places)]
    expected = [{"partition": f"{topic}-{number}", "offset": offset} for offset, (topic, number) in enumerate(places)]
    identifiers = Kafka.identify_records(json.loads(json.dumps(records)))
    changed = Kafka.identify_records(records)
    for record in records:
        record.clear()

    assert list(identifiers) == list(changed) == expected
    assert identifiers[-1] == expected[-1]
    assert identifiers[1:4] == expected[1:4]
    assert len(identifiers) == len(expected)
    with pytest.raises(IndexError):
        identifiers[len(expected)]


def test_a_partition_stops_at_its_failure_though_the_handler_has_emptied_the_record() -> None:
    tried: list[tuple[int, int]] = []

    def handler(record: KafkaRecord) -> None:
        at = record.partition, record.offset
        tried.append(at)
        record.raw_event.clear()  # type: ignore[attr-defined]  # nobody should
        if at in ((0, 11), (1, 12)):
            raise ValueError

    response = BatchProcessor("kafka").run(two_partitions(), handler).response

    assert tried == [(0, 10), (0, 11), (1, 10), (1, 11), (1, 12)]
    assert named(response) == [("orders-0", 11), ("orders-0", 12), ("orders-0", 13), ("orders-1", 12), ("orders-1", 13)]


def test_what_is_no_record_is_refused() -> None:
    with pytest.raises(RecordIdentityError, match="no object but of type str"):
        Kafka.identify_records(["record"])


# Stream mode: an offset is committed for each partition.


def two_partitions() -> Any:
    return event_of(*(raw(partition=partition, offset=offset) for partition in (0, 1) for offset in range(10, 14)))


def test_after_a_failure_the_rest_of_its_partition_is_left_alone_and_named() -> None:
    tried: list[tuple[int, int]] = []

    def handler(record: KafkaRecord) -> None:
        tried.append((record.partition, record.offset))
        if (record.partition, record.offset) == (0, 11):
            raise ValueError

    result = BatchProcessor("kafka").run(two_partitions(), handler)

    assert tried == [(0, 10), (0, 11), (1, 10), (1, 11), (1, 12), (1, 13)]
    assert named(result.response) == [("orders-0", 11), ("orders-0", 12), ("orders-0", 13)]
    assert result.counts() == {"succeeded": 5, "failed": 1, "not_attempted": 2}


def test_two_topics_of_one_partition_number_do_not_stop_one_another() -> None:
    event = event_of(raw("a", 0, 1), raw("a", 0, 2), raw("b", 0, 1), raw("b", 0, 2))

    def handler(record: KafkaRecord) -> None:
        if record.topic == "a":
            raise ValueError

    assert named(BatchProcessor("kafka").run(event, handler).response) == [("a-0", 1), ("a-0", 2)]


@pytest.mark.parametrize("kind", [BatchProcessor, AsyncBatchProcessor])
def test_partitions_run_side_by_side_each_in_order(kind: Any) -> None:
    seen: list[tuple[int, int]] = []

    def handler(record: KafkaRecord) -> None:
        seen.append((record.partition, record.offset))

    async def async_handler(record: KafkaRecord) -> None:
        handler(record)

    processor = kind("kafka", max_concurrency=2)
    processor.run(two_partitions(), handler if kind is BatchProcessor else async_handler)

    assert sorted(seen) == [(partition, offset) for partition in (0, 1) for offset in range(10, 14)]
    for partition in (0, 1):
        assert [offset for at, offset in seen if at == partition] == [10, 11, 12, 13]


# Lanes per key, on request.


def test_lanes_per_key_stop_alone() -> None:
    records = [raw(offset=at, key=key) for at, key in enumerate(["YQ==", "Yg==", "YQ==", "Yg==", None, None])]
    processor = BatchProcessor("kafka", ordering=by_key(record_key))

    assert named(processor.run(event_of(*records), failing(0, 4)).response) == [
        ("orders-0", 0),
        ("orders-0", 2),
        ("orders-0", 4),
    ]


def test_a_key_is_a_lane_in_its_partition_and_no_key_is_none() -> None:
    key = record_key(raw(key="YQ=="))

    assert key == record_key(raw(key="YQ==", offset=3, partition="0")) != record_key(raw(key=""))
    assert record_key(raw(key="YQ==")) != record_key(raw("others", key="YQ=="))
    assert record_key(raw(key=None)) is record_key(raw(key=removed)) is None
    assert record_key(raw(key="")) is not None


@pytest.mark.parametrize("key", [topic_partition, record_key])
@pytest.mark.parametrize("record", [{}, {"topic": "a"}, {"messageId": "1"}, {"topic": "a", "partition": None}])
def test_a_lane_of_what_is_no_record_of_kafka_is_an_error(key: Any, record: Any) -> None:
    with pytest.raises(ValueError, match=r"topic and a partition|partition is a whole number"):
        key(record)


# Queue mode: each record by itself.


def test_in_queue_mode_every_record_is_tried_and_exactly_those_that_failed_are_named() -> None:
    result = BatchProcessor(QUEUE).run(two_partitions(), failing(11))

    assert named(result.response) == [("orders-0", 11), ("orders-1", 11)]
    assert result.counts() == {"succeeded": 6, "failed": 2}


@pytest.mark.parametrize("mode", ["Queue", "QUEUE", None, ""])
def test_a_mode_that_there_is_not_is_refused(mode: Any) -> None:
    with pytest.raises(ConfigurationError, match="'stream' or 'queue'"):
        KafkaSource(mode=mode)


def test_the_source_that_is_found_by_name_is_of_stream_mode() -> None:
    assert Kafka.mode == KafkaSource().mode == "stream"
    processor = BatchProcessor("kafka", raise_on_entire_batch_failure=False)
    assert processor.run(two_partitions(), failing(10)).counts()["not_attempted"] == 6


# What it says besides.


def test_it_describes_where_a_record_is_from_and_nothing_that_was_sent() -> None:
    assert Kafka.describe_record(raw("orders", 3, 7, "secret", key="c2VjcmV0")) == {"topic": "orders", "partition": 3}


def test_a_batch_of_tombstones_and_null_keys_is_a_batch_like_any_other() -> None:
    records = [raw(offset=1, content=None), raw(offset=2, value=None, key=None), raw(offset=3, headers=None)]
    seen: list[Any] = []

    def handler(record: KafkaRecord) -> None:
        seen.append((record.decoded_key, record.decoded_value, record.header_pairs))

    assert BatchProcessor("kafka").run(event_of(*records), handler).response == {"batchItemFailures": []}
    assert seen == [(None, None, []), (None, None, []), (None, b"x", [])]


def test_nothing_but_the_source_that_is_asked_for_is_imported() -> None:
    program = (
        "import sys, json, batchcore, batchcore_kafka\n"
        "batchcore.BatchProcessor('kafka').run({'eventSource': 'aws:kafka', 'records': {'t-0': "
        "[{'topic': 't', 'partition': 0, 'offset': 1, 'value': 'MQ=='}]}}, lambda record: record.json_value)\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    modules = set(json.loads(printed))

    assert {name for name in modules if name.startswith("batchcore_")} == {
        "batchcore_kafka",
        "batchcore_kafka.hooks",
        "batchcore_kafka.record",
    }
    heavy = {"pluggy", "pydantic", "asyncio", "importlib_metadata", "fastavro", "google.protobuf", "confluent_kafka"}
    assert modules & heavy == set()
