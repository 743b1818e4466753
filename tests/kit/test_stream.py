"""Streams of Kinesis and DynamoDB: shards, the checkpoint, attempts, age, splitting, and who is told at the end."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import ConfigurationError
from batchcore_testing import EventSourceMapping, Faults, Stream

from .support import (
    STREAMS,
    Failing,
    batches,
    contents,
    contents_of,
    deliveries,
    ends,
    faults,
    id_of,
    in_key_order,
    mapping_of,
    names,
    naming,
    polled,
    processor_of,
    raises,
    records_of,
    responds,
    succeeds,
    times,
)

every_stream = pytest.mark.parametrize("source", STREAMS)


def stream_of(source: str, *contents: str, **options: Any) -> Stream:
    """Make a stream of records whose first letter is their key."""
    stream = Stream(source, **options)
    for content in contents:
        stream.send(content, key=content[0])
    return stream


# What is delivered.


@every_stream
def test_records_are_delivered_as_lambda_delivers_them(source: str) -> None:
    stream = stream_of(source, "a1")
    (record,) = polled(mapping_of(stream)).event["Records"]
    assert record["eventSource"] == f"aws:{source}"
    assert ":orders" in record["eventSourceARN"].replace("/", ":")
    assert id_of(record) == stream.items[0].identifier
    assert contents_of({"Records": [record]}) == ["a1"]


@every_stream
def test_records_of_a_shard_are_delivered_in_the_order_in_which_they_were_sent(source: str) -> None:
    sent = [f"{'abc'[number % 3]}{number}" for number in range(9)]
    history = mapping_of(stream_of(source, *sent), batch_size=2).drain()
    assert functools.reduce(operator.iadd, batches(history), []) == sent
    numbers = [int(id_of(record)) for each in history.invocations for record in records_of(each.event)]
    assert numbers == sorted(numbers)


@every_stream
def test_batch_has_a_hundred_records_by_default(source: str) -> None:
    stream = Stream(source)
    stream.send(*map(str, range(250)))
    assert [len(batch) for batch in batches(mapping_of(stream).drain())] == [100, 100, 50]


@every_stream
def test_batch_size_is_from_1_to_10000(source: str) -> None:
    for size in (1, 10_000):
        mapping_of(Stream(source), batch_size=size)
    for size in (0, 10_001):
        with pytest.raises(ConfigurationError, match="batch_size"):
            mapping_of(Stream(source), batch_size=size)


@every_stream
def test_batch_is_from_one_shard(source: str) -> None:
    stream = stream_of(source, *(f"{letter}{number}" for number in range(3) for letter in "abcdefgh"), shards=4)
    history = mapping_of(stream).drain()
    shards = [{int(id_of(record)) // 10**20 for record in records_of(each.event)} for each in history.invocations]
    assert 1 < len(shards) <= 4
    if source == "dynamodb":
        assert all(len(each) == 1 for each in shards)
    else:
        assert all(
            len({record["eventID"].split(":")[0] for record in each.event["Records"]}) == 1
            for each in history.invocations
        )


@every_stream
def test_key_always_goes_to_the_same_shard(source: str) -> None:
    for seed in range(4):
        stream = stream_of(source, *(f"{letter}{number}" for number in range(4) for letter in "abcdef"), shards=3)
        mapping_of(stream, batch_size=1, seed=seed).drain().check()


def test_item_that_has_its_key_in_it_goes_where_its_key_goes() -> None:
    stream = Stream("dynamodb", shards=4)
    stream.send(*({"id": "a", "n": number} for number in range(8)))
    (item,) = stream.send("more", key="a")
    assert len({each.lane for each in stream.items}) == 1
    history = mapping_of(stream).drain()
    assert len(history.invocations) == 1
    assert item in history.invocations[0].items


def test_partition_key_among_the_fields_chooses_the_shard_too() -> None:
    stream = Stream(shards=4)
    stream.send(*map(str, range(8)), kinesis={"partitionKey": "a"})
    assert len(mapping_of(stream).drain().invocations) == 1


@every_stream
def test_shard_that_is_blocked_blocks_no_other(source: str) -> None:
    stream = stream_of(source, "a1", "b1", "c1", "d1", "e1", "a2", "b2", "c2", "d2", "e2", shards=4)
    mapping = mapping_of(stream, names("a1"))
    for _ in range(20):
        mapping.poll()
    assert "a1" in contents(mapping.history.left)
    assert "a2" in contents(mapping.history.left)
    assert list(ends(stream).values()).count("acknowledged") > 0


@every_stream
def test_shards_are_read_in_an_order_of_chance(source: str) -> None:
    def order(seed: int) -> tuple[str, ...]:
        stream = stream_of(source, *"abcdefghijkl", shards=4)
        return tuple(batch[0] for batch in batches(mapping_of(stream, seed=seed).drain()))

    orders = {order(seed) for seed in range(8)}
    assert len({frozenset(each) for each in orders}) == 1
    assert len(orders) > 1


@pytest.mark.parametrize("shards", [0, -1])
def test_stream_without_a_shard_is_refused(shards: int) -> None:
    with pytest.raises(ConfigurationError, match="shards"):
        Stream(shards=shards)


@every_stream
def test_record_that_is_sent_later_is_delivered_later(source: str) -> None:
    stream = stream_of(source, "a1")
    mapping = mapping_of(stream)
    assert contents(polled(mapping).items) == ["a1"]
    assert mapping.poll() is None
    stream.send("a2", key="a")
    assert contents(polled(mapping).items) == ["a2"]


# The checkpoint.


@every_stream
@pytest.mark.parametrize(("bad", "again"), [(["a2"], ["a2", "a3"]), (["a3"], ["a3"]), (["a3", "a2"], ["a2", "a3"])])
def test_everything_from_the_lowest_failure_on_is_delivered_again(source: str, bad: Any, again: Any) -> None:
    stream = stream_of(source, "a1", "a2", "a3")
    records = [stream.record_of(item) for item in stream.items if item.content in bad]
    history = mapping_of(stream, responds(naming(records))).drain()
    assert batches(history) == [["a1", "a2", "a3"], again]


@every_stream
def test_what_follows_the_batch_waits_until_it_is_done(source: str) -> None:
    stream = stream_of(source, "a1", "a2", "a3")
    history = mapping_of(stream, responds(ValueError("no"), ValueError("no")), batch_size=2).drain()
    assert batches(history) == [["a1", "a2"]] * 3 + [["a3"]]


@every_stream
def test_poison_record_blocks_its_shard_until_it_expires(source: str) -> None:
    stream = stream_of(source, "bad", "b2", retention=3600)
    mapping = mapping_of(stream, names("bad"), batch_size=1)
    mapping.drain()
    assert ends(stream) == {"bad": "expired", "b2": "expired"}
    assert deliveries(stream)["bad"] > 50
    assert deliveries(stream)["b2"] == 0
    assert contents(mapping.history.never_tried) == ["b2"]


@every_stream
def test_failure_is_tried_again_after_a_while_that_grows(source: str) -> None:
    stream = stream_of(source, "a1")
    history = mapping_of(stream, responds(*[ValueError("no")] * 8)).drain()
    pauses = [later - earlier for earlier, later in zip(times(history), times(history)[1:], strict=False)]
    assert pauses[0] > 0
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0]


# Attempts.


@every_stream
@pytest.mark.parametrize("attempts", [0, 1, 3])
def test_batch_that_always_fails_is_delivered_once_more_than_it_is_retried(source: str, attempts: int) -> None:
    stream = stream_of(source, "a1", "a2")
    history = mapping_of(stream, raises, maximum_retry_attempts=attempts).drain()
    assert batches(history) == [["a1", "a2"]] * (1 + attempts)
    assert ends(stream) == {"a1": "discarded", "a2": "discarded"}


@every_stream
def test_attempts_have_no_limit_by_default(source: str) -> None:
    stream = stream_of(source, "a1")
    history = mapping_of(stream, responds(*[ValueError("no")] * 200)).drain()
    assert len(history.invocations) == 201
    assert ends(stream) == {"a1": "acknowledged"}


@every_stream
def test_attempts_start_again_when_the_checkpoint_moves_as_seen_at_aws(source: str) -> None:
    """Batch size 3, three retries, the last of six records fails: it was delivered five times."""
    stream = Stream(source)
    for number in range(6):
        stream.send("bad" if number == 5 else f"good{number}", key=f"test_{number}")
    mapping = mapping_of(stream, names("bad"), batch_size=3, maximum_retry_attempts=3, on_failure=True)
    history = mapping.drain()
    assert batches(history) == [["good0", "good1", "good2"], ["good3", "good4", "bad"], *[["bad"]] * 4]
    assert deliveries(stream)["bad"] == 5
    assert len(stream.on_failure) == 1


@every_stream
def test_attempts_that_were_used_up_before_the_checkpoint_moved_do_not_count(source: str) -> None:
    stream = stream_of(source, "a1", "bad")
    fails_twice = responds(ValueError("no"), ValueError("no"))

    def function(event: Any, context: Any) -> Any:
        fails_twice(event, context)
        return names("bad")(event, context)

    history = mapping_of(stream, function, maximum_retry_attempts=3).drain()
    assert batches(history) == [["a1", "bad"]] * 3 + [["bad"]] * 4


@every_stream
def test_attempts_do_not_start_again_when_the_first_record_fails(source: str) -> None:
    stream = stream_of(source, "bad", "b2")
    history = mapping_of(stream, names("bad"), maximum_retry_attempts=3).drain()
    assert batches(history) == [["bad", "b2"]] * 4


@every_stream
def test_attempts_of_the_next_batch_are_its_own(source: str) -> None:
    stream = stream_of(source, "a1", "a2")
    mapping_of(stream, raises, batch_size=1, maximum_retry_attempts=2).drain()
    assert deliveries(stream) == {"a1": 3, "a2": 3}


@every_stream
def test_partial_failures_use_up_attempts_as_errors_do(source: str) -> None:
    for function in (raises, names("bad")):
        stream = stream_of(source, "bad")
        mapping_of(stream, function, maximum_retry_attempts=2).drain()
        assert deliveries(stream) == {"bad": 3}


@every_stream
def test_rest_of_the_batch_is_given_up_with_the_one_that_fails(source: str) -> None:
    stream = stream_of(source, "a1", "bad", "b2", "b3", "b4")
    history = mapping_of(stream, names("bad"), batch_size=4, maximum_retry_attempts=1).drain()
    assert ends(stream) == {
        "a1": "acknowledged",
        "bad": "discarded",
        "b2": "discarded",
        "b3": "discarded",
        "b4": "acknowledged",
    }
    assert contents(history.discarded) == ["bad", "b2", "b3"]


@every_stream
def test_handler_that_stops_at_the_failure_has_never_tried_what_is_given_up_with_it(source: str) -> None:
    stream = stream_of(source, "b0", "bad", "b2", "b3")
    mapping = EventSourceMapping(
        stream, processor=in_key_order(source), record_handler=Failing(bad=-1), maximum_retry_attempts=1
    )
    history = mapping.drain()
    assert contents(history.never_tried) == ["b2", "b3"]
    assert contents(history.lost) == ["bad", "b2", "b3"]


@every_stream
def test_handler_that_goes_on_past_the_failure_has_tried_all_that_is_given_up(source: str) -> None:
    stream = stream_of(source, "b0", "bad", "b2", "b3")
    mapping = EventSourceMapping(
        stream, processor=processor_of(source), record_handler=Failing(bad=-1), maximum_retry_attempts=1
    )
    history = mapping.drain()
    assert history.never_tried == []
    assert contents(history.lost) == ["bad"]


@every_stream
def test_throttled_invocation_is_no_attempt(source: str) -> None:
    stream = stream_of(source, "a1")
    mapping = mapping_of(stream, raises, maximum_retry_attempts=1, faults=Faults(at={1: "throttle", 2: "throttle"}))
    history = mapping.drain()
    assert faults(history) == {"throttle": 2, None: 2}


# Age.


@every_stream
def test_batch_that_fails_is_given_up_when_its_records_are_too_old(source: str) -> None:
    stream = stream_of(source, "a1", "a2")
    history = mapping_of(stream, raises, maximum_record_age_in_seconds=60).drain()
    assert times(history)[-1] <= 60
    assert ends(stream) == {"a1": "discarded", "a2": "discarded"}


@every_stream
def test_age_gives_up_the_rest_of_the_batch_not_the_oldest_record_alone(source: str) -> None:
    stream = stream_of(source, "bad")
    stream.clock.advance(50)
    stream.send("b2", key="b")
    mapping_of(stream, raises, maximum_record_age_in_seconds=60).drain()
    assert ends(stream) == {"bad": "discarded", "b2": "discarded"}


@every_stream
def test_age_has_no_limit_by_default(source: str) -> None:
    stream = stream_of(source, "a1")
    stream.clock.advance(86_399)
    assert len(mapping_of(stream).drain().done) == 1


@every_stream
def test_record_of_exactly_the_maximum_age_is_delivered(source: str) -> None:
    stream = stream_of(source, "a1")
    stream.clock.advance(60)
    mapping_of(stream, maximum_record_age_in_seconds=60).drain()
    assert ends(stream) == {"a1": "acknowledged"}


@every_stream
def test_young_records_are_delivered_after_old_ones_were_given_up(source: str) -> None:
    stream = stream_of(source, "old")
    stream.clock.advance(61)
    stream.send("young", key="y")
    history = mapping_of(stream, batch_size=1, maximum_record_age_in_seconds=60).drain()
    assert batches(history) == [["young"]]
    assert ends(stream) == {"old": "discarded", "young": "acknowledged"}


@every_stream
def test_any_number_of_batches_may_be_too_old(source: str) -> None:
    stream = Stream(source)
    stream.send(*map(str, range(1500)), key="a")
    stream.clock.advance(61)
    history = mapping_of(stream, batch_size=1, maximum_record_age_in_seconds=60).drain()
    assert len(history.discarded) == 1500


@every_stream
def test_partial_failures_are_given_up_by_age_too(source: str) -> None:
    stream = stream_of(source, "a1", "bad")
    mapping_of(stream, names("bad"), maximum_record_age_in_seconds=60).drain()
    assert ends(stream) == {"a1": "acknowledged", "bad": "discarded"}


# Retention.


@every_stream
def test_record_is_gone_when_its_retention_is_over(source: str) -> None:
    stream = stream_of(source, "old", retention=60)
    stream.clock.advance(59)
    stream.send("young", key="y")
    stream.clock.advance(1)
    assert batches(mapping_of(stream).drain()) == [["young"]]
    assert ends(stream) == {"old": "expired", "young": "acknowledged"}


@every_stream
def test_record_stays_a_day_by_default(source: str) -> None:
    stream = stream_of(source, "a1")
    stream.clock.advance(24 * 3600)
    assert mapping_of(stream).poll() is None
    assert ends(stream) == {"a1": "expired"}


@every_stream
def test_rest_of_a_batch_goes_on_when_its_first_record_has_expired(source: str) -> None:
    stream = stream_of(source, "bad", retention=60)
    stream.clock.advance(30)
    stream.send("b2", key="b")
    mapping = mapping_of(stream, names("bad"))
    mapping.drain()
    assert ends(stream) == {"bad": "expired", "b2": "acknowledged"}
    assert batches(mapping.history)[0] == ["bad", "b2"]
    assert batches(mapping.history)[-1] == ["b2"]


# Splitting.


@every_stream
def test_batch_is_split_in_two_when_the_function_fails(source: str) -> None:
    stream = stream_of(source, "a1", "a2", "a3", "a4")
    history = mapping_of(stream, responds(ValueError("no")), bisect_batch_on_function_error=True).drain()
    assert batches(history) == [["a1", "a2", "a3", "a4"], ["a1", "a2"], ["a3", "a4"]]


@every_stream
def test_batch_is_not_split_by_default(source: str) -> None:
    stream = stream_of(source, "a1", "a2", "a3", "a4")
    assert batches(mapping_of(stream, responds(ValueError("no"))).drain()) == [["a1", "a2", "a3", "a4"]] * 2


def failing_with(bad: str) -> Callable[[Any, Any], Any]:
    """Make a function that raises whenever its batch has this."""

    def function(event: Any, context: Any) -> Any:
        if bad in contents_of(event):
            raise ValueError(bad)
        return succeeds(event, context)

    return function


@every_stream
@pytest.mark.parametrize("reports", [True, False], ids=["reporting", "not reporting"])
def test_splitting_finds_the_one_that_fails_and_uses_up_no_attempts(source: str, reports: bool) -> None:
    stream = stream_of(source, "a1", "a2", "bad", "b4", "b5", "b6", "b7", "b8")
    mapping = mapping_of(
        stream,
        failing_with("bad"),
        bisect_batch_on_function_error=True,
        maximum_retry_attempts=1,
        report_batch_item_failures=reports,
    )
    history = mapping.drain()
    assert contents(history.discarded) == ["bad"]
    assert batches(history) == [
        ["a1", "a2", "bad", "b4", "b5", "b6", "b7", "b8"],
        ["a1", "a2", "bad", "b4"],
        ["a1", "a2"],
        ["bad", "b4"],
        ["bad"],
        ["bad"],
        ["b4"],
        ["b5", "b6", "b7", "b8"],
    ]


@every_stream
def test_splitting_keeps_the_order(source: str) -> None:
    stream = stream_of(source, *(f"a{number}" for number in range(8)))
    mapping = mapping_of(stream, responds(*[ValueError("no")] * 5), bisect_batch_on_function_error=True)
    mapping.drain().check()


@every_stream
def test_response_that_names_failures_splits_at_the_checkpoint(source: str) -> None:
    stream = stream_of(source, "a1", "bad", "b3", "b4")
    mapping = mapping_of(stream, names("bad"), bisect_batch_on_function_error=True, maximum_retry_attempts=1)
    assert batches(mapping.drain()) == [["a1", "bad", "b3", "b4"], ["bad", "b3", "b4"], ["bad", "b3", "b4"]]


@every_stream
def test_part_of_a_split_batch_expires_like_any_record(source: str) -> None:
    stream = stream_of(source, "bad", "b2", retention=100)
    mapping_of(stream, failing_with("bad"), bisect_batch_on_function_error=True).drain()
    assert ends(stream) == {"bad": "expired", "b2": "expired"}


# Batches of one shard at a time.


@every_stream
@pytest.mark.parametrize("factor", [2, 10])
def test_several_batches_of_a_shard_are_on_their_way_each_of_its_own_keys(source: str, factor: int) -> None:
    stream = stream_of(source, *(f"{letter}{number}" for number in range(3) for letter in "abcdefghij"))
    mapping = mapping_of(stream, batch_size=2, parallelization_factor=factor)
    history = mapping.drain()
    history.check()
    assert len(history.invocations) > 15 - factor
    assert functools.reduce(operator.iadd, batches(history), []) != contents(stream.items)


@every_stream
def test_failure_blocks_its_own_part_of_the_shard_alone(source: str) -> None:
    stream = stream_of(source, *(f"{letter}{number}" for number in range(2) for letter in "abcdefghij"))
    mapping = mapping_of(stream, names("a0"), parallelization_factor=10)
    for _ in range(30):
        mapping.poll()
    assert {"a0", "a1"} <= set(contents(mapping.history.left))
    assert len(mapping.history.left) < 20


@every_stream
def test_records_of_a_shard_come_in_one_batch_without_a_factor(source: str) -> None:
    stream = stream_of(source, *"abcdefghij")
    assert len(mapping_of(stream).drain().invocations) == 1


# The on-failure destination.


@every_stream
def test_destination_is_told_where_the_records_are_that_were_given_up(source: str) -> None:
    stream = stream_of(source, "a1", "bad", "b2", "b3")
    history = mapping_of(stream, names("bad"), maximum_retry_attempts=2, on_failure=True).drain()
    (told,) = stream.on_failure
    info = told["DDBStreamBatchInfo" if source == "dynamodb" else "KinesisBatchInfo"]
    assert told["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert told["requestContext"]["approximateInvokeCount"] > 0
    assert info["shardId"] == "shardId-000000000000"
    assert info["startSequenceNumber"] == stream.items[1].identifier
    assert info["endSequenceNumber"] == stream.items[3].identifier
    assert info["batchSize"] == 3
    assert ends(stream) == {"a1": "acknowledged", **dict.fromkeys(("bad", "b2", "b3"), "on-failure destination")}
    assert contents(history.discarded) == ["bad", "b2", "b3"]


@every_stream
def test_destination_gets_metadata_and_no_record(source: str) -> None:
    stream = stream_of(source, "bad")
    mapping_of(stream, raises, maximum_retry_attempts=0, on_failure=True).drain()
    (told,) = stream.on_failure
    assert "Records" not in told
    assert stream.record_of(stream.items[0]) not in told.values()


@every_stream
def test_destination_is_told_that_records_were_too_old(source: str) -> None:
    stream = stream_of(source, "bad")
    mapping_of(stream, raises, maximum_record_age_in_seconds=60, on_failure=True).drain()
    assert [told["requestContext"]["condition"] for told in stream.on_failure] == ["RecordAgeExceeded"]


@every_stream
def test_destination_is_told_of_the_shard(source: str) -> None:
    stream = stream_of(source, *"abcdefgh", shards=3)
    mapping_of(stream, raises, maximum_retry_attempts=0, on_failure=True).drain()
    infos = [told["DDBStreamBatchInfo" if source == "dynamodb" else "KinesisBatchInfo"] for told in stream.on_failure]
    assert len({info["shardId"] for info in infos}) == len(infos) > 1
    assert sum(info["batchSize"] for info in infos) == 8


@every_stream
def test_what_is_given_up_without_a_destination_is_lost(source: str) -> None:
    stream = stream_of(source, "bad")
    history = mapping_of(stream, raises, maximum_retry_attempts=0).drain()
    assert contents(history.lost) == ["bad"]
    assert stream.on_failure == []


@every_stream
def test_what_the_destination_was_told_of_is_not_lost(source: str) -> None:
    stream = stream_of(source, "bad")
    assert mapping_of(stream, raises, maximum_retry_attempts=0, on_failure=True).drain().lost == []


@every_stream
def test_destination_is_not_told_of_what_expires(source: str) -> None:
    stream = stream_of(source, "bad", retention=60)
    mapping_of(stream, raises, on_failure=True).drain()
    assert stream.on_failure == []


# Options.


@every_stream
@pytest.mark.parametrize(
    ("option", "right", "wrong"),
    [
        ("parallelization_factor", [1, 10], [0, 11]),
        ("maximum_retry_attempts", [-1, 0, 10_000], [-2, 10_001]),
        ("maximum_record_age_in_seconds", [-1, 60, 604_800], [-2, 604_801]),
        ("tumbling_window_in_seconds", [0, 900], [-1, 901]),
    ],
)
def test_option_has_the_range_that_aws_gives_it(source: str, option: str, right: list[int], wrong: list[int]) -> None:
    for value in right:
        mapping_of(Stream(source), **{option: value})
    for value in wrong:
        with pytest.raises(ConfigurationError, match=option):
            mapping_of(Stream(source), **{option: value})


@every_stream
def test_without_report_batch_item_failures_the_checkpoint_moves_past_what_was_named(source: str) -> None:
    stream = stream_of(source, "a1", "bad")
    history = mapping_of(stream, names("bad"), report_batch_item_failures=False).drain()
    assert len(history.invocations) == 1
    assert contents(history.lost) == ["bad"]


@every_stream
def test_default_ordering_of_the_source_goes_on_past_a_failure_and_breaks_the_order_of_a_key(source: str) -> None:
    stream = stream_of(source, "a1", "a2")
    history = EventSourceMapping(stream, processor=processor_of(source), record_handler=Failing(a1=1)).drain()
    assert contents(history.out_of_order) == ["a1"]


@every_stream
def test_ordering_that_stops_a_key_keeps_it(source: str) -> None:
    stream = stream_of(source, "a1", "b1", "a2", "b2", shards=2)
    mapping = EventSourceMapping(
        stream, processor=in_key_order(source), record_handler=Failing(a1=2, b2=1), parallelization_factor=2
    )
    mapping.drain().check(allow=["done_twice"])
