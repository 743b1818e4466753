"""A stream of Firehose: what becomes of each result, and of an invocation that fails."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import ConfigurationError
from batchcore_firehose.events import FirehoseEvents
from batchcore_testing import DeliveryStream, EventSourceMapping, Faults, NotDrainedError, Simulator

from .support import batches, contents, ends, faults, mapping_of, raises, times


def stream_of(*contents: str, **options: Any) -> DeliveryStream:
    stream = DeliveryStream(**options)
    stream.send(*contents)
    return stream


def result(record: Any, kind: str = "Ok", **fields: Any) -> dict[str, Any]:
    return {"recordId": record["recordId"], "result": kind, "data": record["data"], **fields}


def content_of(record: Any) -> str:
    return b64decode(record["data"]).decode()


def answers(**kinds: str) -> Callable[[Any, Any], Any]:
    """Make a function that gives the records of these contents another result than Ok."""

    def function(event: Any, context: Any) -> Any:
        return {"records": [result(record, kinds.get(content_of(record), "Ok")) for record in event["records"]]}

    return function


def first(times: int, response: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Make a function that does something else at first, and then answers that all is well."""
    left = [response] * times

    def function(event: Any, context: Any) -> Any:
        return (left.pop() if left else answers())(event, context)

    return function


def test_records_are_handed_over_in_their_order_in_batches() -> None:
    history = mapping_of(stream_of("a", "b", "c"), answers(), batch_size=2).drain()

    assert batches(history) == [["a", "b"], ["c"]]
    assert history.invocations[0].event["invocationId"]


def test_what_is_ok_is_delivered_with_its_new_data() -> None:
    stream = stream_of("a", "b")

    def upper(event: Any, context: Any) -> Any:
        records = [
            result(record, data=b64encode(content_of(record).upper().encode()).decode()) for record in event["records"]
        ]
        return {"records": records[::-1]}

    mapping_of(stream, upper).drain().check()

    assert [(item.content, data) for item, data in stream.delivered] == [("a", b"A"), ("b", b"B")]
    assert set(ends(stream).values()) == {"acknowledged"}


def test_what_is_dropped_is_delivered_to_nobody_and_not_lost() -> None:
    stream = stream_of("a", "b")
    history = mapping_of(stream, answers(b="Dropped")).drain()

    history.check()
    assert contents(stream.dropped) == ["b"]
    assert contents(item for item, _ in stream.delivered) == ["a"]


def test_what_has_failed_is_put_aside_and_does_not_come_again() -> None:
    stream = stream_of("a", "b")
    history = mapping_of(stream, answers(b="ProcessingFailed")).drain()

    history.check()
    assert batches(history) == [["a", "b"]]
    assert contents(stream.processing_failed) == ["b"]
    assert ends(stream) == {"a": "acknowledged", "b": "processing-failed"}


@pytest.mark.parametrize(
    "response",
    [raises, lambda event, context: None, lambda event, context: {"records": []}, answers(a="ok")],
    ids=["raises", "null", "no records", "no result"],
)
def test_an_invocation_that_failed_is_repeated_as_a_whole(response: Callable[[Any, Any], Any]) -> None:
    stream = stream_of("a", "b", "c")
    history = mapping_of(stream, first(3, response), batch_size=2).drain()

    assert batches(history) == [["a", "b"]] * 4 + [["c"]]
    assert contents(item for item, _ in stream.delivered) == ["a", "b", "c"]


def test_after_three_repetitions_the_batch_is_skipped_and_the_next_one_has_three_of_its_own() -> None:
    stream = stream_of("a", "b", "c")
    history = mapping_of(stream, raises, batch_size=2).drain()

    assert batches(history) == [["a", "b"]] * 4 + [["c"]] * 4
    assert contents(stream.processing_failed) == ["a", "b", "c"]
    assert times(history) == [0, 1, 2, 3, 3, 4, 5, 6]
    assert history.problems()[0].startswith("ALWAYS FAILED")


@pytest.mark.parametrize(("number", "invocations"), [(0, 1), (1, 2), (5, 6)])
def test_how_often_is_an_option_of_the_stream(number: int, invocations: int) -> None:
    history = mapping_of(stream_of("a", number_of_retries=number), raises).drain()

    assert len(history.invocations) == invocations


@pytest.mark.parametrize("number", [-1, 301, True, 1.0, "3"])
def test_a_number_of_retries_that_aws_refuses_is_refused(number: Any) -> None:
    with pytest.raises(ConfigurationError, match="from 0 to 300"):
        DeliveryStream(number_of_retries=number)


@pytest.mark.parametrize("fault", ["throttle", "crash", "timeout", "duplicate"])
def test_what_goes_wrong_at_aws_repeats_the_invocation(fault: Any) -> None:
    stream = stream_of("a", "b")
    history = mapping_of(stream, answers(), faults=Faults(at={1: fault})).drain()

    assert faults(history) == {fault: 1, None: 1}
    assert contents(item for item, _ in stream.delivered) == ["a", "b"]
    assert contents(history.done_twice) == (["a", "b"] if fault == "duplicate" else [])


def test_a_response_of_more_than_six_megabytes_is_refused() -> None:
    stream = stream_of("a", number_of_retries=0)
    history = mapping_of(
        stream, lambda event, context: {"records": [result(event["records"][0], data="A" * (6 * 1024 * 1024))]}
    ).drain()

    assert contents(stream.processing_failed) == ["a"]
    assert "the limit is 6291456" in str(history.complaint)


def test_the_response_is_read_whatever_the_mapping_is_told_of_partial_ones() -> None:
    stream = stream_of("a")
    mapping_of(stream, answers(a="ProcessingFailed"), report_batch_item_failures=False).drain()

    assert contents(stream.processing_failed) == ["a"]


def test_data_from_msk_is_delivered_from_where_the_answer_has_it() -> None:
    stream = DeliveryStream(source=FirehoseEvents("msk"))
    stream.send("a")

    def function(event: Any, context: Any) -> Any:
        return {
            "records": [
                {"recordId": r["recordId"], "result": "Ok", "kafkaRecordValue": "Yg=="} for r in event["records"]
            ]
        }

    mapping_of(stream, function).drain().check()
    assert [data for _, data in stream.delivered] == [b"b"]


def test_an_option_of_another_source_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="DeliveryStream has no maximum_retry_attempts"):
        EventSourceMapping(DeliveryStream(), raises, maximum_retry_attempts=1)


def test_a_simulator_makes_one_on_its_clock() -> None:
    simulator = Simulator()
    stream = simulator.delivery_stream(name="clicks", number_of_retries=1)
    stream.send("a")
    simulator.mapping(stream, raises).drain()

    assert simulator.clock is stream.clock
    assert contents(stream.processing_failed) == ["a"]


def test_what_never_ends_is_said() -> None:
    with pytest.raises(NotDrainedError, match="still holds 1 records"):
        mapping_of(stream_of("a", number_of_retries=300), raises).drain(max_invocations=5)
