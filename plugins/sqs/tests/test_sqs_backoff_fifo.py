"""Back-off on a FIFO queue hides a message group as a whole, and keeps its order."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import BatchResult, Disposition, unordered
from batchcore_sqs import SqsFifoPartialProcessor, VisibilityBackoff

UNTOUCHED = pytest.approx(1000, abs=20)


def near(seconds: float) -> Any:
    return pytest.approx(seconds, abs=2)


def by_group(process: Any, event: dict[str, Any]) -> BatchResult:
    result: BatchResult = process(event, processor=SqsFifoPartialProcessor, skip_group_on_error=True)
    return result


def test_a_fifo_queue_is_left_alone_unless_told_otherwise(
    fifo_queue: Any, client: Any, between: Any, process: Any
) -> None:
    fifo_queue.send("bad", group="a")
    VisibilityBackoff(client=client).after_batch(process(fifo_queue.receive()))
    assert between.calls == []


def test_a_fifo_queue_that_only_its_url_names_is_left_alone(
    fifo_queue: Any, client: Any, between: Any, process: Any
) -> None:
    fifo_queue.send("bad", group="a")
    event = fifo_queue.receive()
    del event["Records"][0]["eventSourceARN"]
    VisibilityBackoff(client=client, queue_url=fifo_queue.url).after_batch(process(event))
    assert between.calls == []


def test_a_group_is_hidden_from_its_first_failure_on(fifo_queue: Any, client: Any, process: Any, highest: Any) -> None:
    fifo_queue.send("ok 1", "bad 1", "ok 2", "bad 2", group="a")
    fifo_queue.send("ok 3", group="b")
    result = by_group(process, fifo_queue.receive())
    assert [outcome.status for outcome in result.outcomes] == [
        "succeeded",
        "failed",
        "not_attempted",
        "not_attempted",
        "succeeded",
    ]
    VisibilityBackoff(9, client=client, fifo=True, random=highest).after_batch(result)
    assert fifo_queue.hidden() == {
        "ok 1": UNTOUCHED,
        "bad 1": near(9),
        "ok 2": near(9),
        "bad 2": near(9),
        "ok 3": UNTOUCHED,
    }
    assert len(highest.asked) == 1


def test_what_is_done_of_a_group_is_left_alone(fifo_queue: Any, client: Any, process: Any, highest: Any) -> None:
    fifo_queue.send("bad 1", "ok", "bad 2", group="a")
    result = process(fifo_queue.receive(), ordering=unordered)
    VisibilityBackoff(9, client=client, fifo=True, random=highest).after_batch(result)
    assert fifo_queue.hidden() == {"bad 1": near(9), "ok": UNTOUCHED, "bad 2": near(9)}
    assert len(highest.asked) == 1


def test_a_group_without_a_failure_is_left_alone_though_it_was_not_attempted(
    fifo_queue: Any, client: Any, process: Any, highest: Any
) -> None:
    fifo_queue.send("bad", "ok 1", group="a")
    fifo_queue.send("ok 2", group="b")
    result = process(fifo_queue.receive())
    assert result.counts() == {"failed": 1, "not_attempted": 2}
    VisibilityBackoff(9, client=client, fifo=True, random=highest).after_batch(result)
    assert fifo_queue.hidden() == {"bad": near(9), "ok 1": near(9), "ok 2": UNTOUCHED}


def test_what_was_not_attempted_before_the_first_failure_is_left_alone(
    fifo_queue: Any, client: Any, process: Any, highest: Any
) -> None:
    fifo_queue.send("ok", "bad", group="a")
    event = fifo_queue.receive()
    event["Records"].reverse()
    result = process(event, dispositions={ValueError: Disposition.STOP_BATCH}, ordering=unordered)
    assert [outcome.status for outcome in result.outcomes] == ["failed", "not_attempted"]
    outcomes = list(reversed(result.failures))
    assert VisibilityBackoff(9, fifo=True, random=highest)._delays(outcomes) == {0: 9}


def test_each_group_has_the_delay_of_its_first_failure(fifo_queue: Any, process: Any, highest: Any) -> None:
    for group in "abc":
        fifo_queue.send("bad", "bad", group=group)
    event = fifo_queue.receive()
    for record, count in zip(event["Records"], [1, 5, 3, 1, 2, 2], strict=True):
        record["attributes"]["ApproximateReceiveCount"] = str(count)
    result = by_group(process, event)
    groups = [record["attributes"]["MessageGroupId"] for record in event["Records"]]
    assert groups == ["a", "a", "b", "b", "c", "c"]
    delays = VisibilityBackoff(10, fifo=True, random=highest)._delays(result.failures)
    assert delays == {0: 10, 1: 10, 2: 40, 3: 40, 4: 20, 5: 20}


def test_a_group_is_hidden_no_longer_than_each_of_its_messages_may_be(
    fifo_queue: Any, process: Any, highest: Any
) -> None:
    fifo_queue.send("bad", "bad", group="a")
    event = fifo_queue.receive()
    later = event["Records"][1]["attributes"]
    later["ApproximateFirstReceiveTimestamp"] = str(int(later["ApproximateFirstReceiveTimestamp"]) - 5 * 3600 * 1000)
    result = by_group(process, event)
    delays = VisibilityBackoff(12 * 3600, 12 * 3600, fifo=True, random=highest)._delays(result.failures)
    assert delays == {0: near(6.5 * 3600), 1: near(6.5 * 3600)}


@pytest.mark.parametrize("attributes", [{}, None, {"MessageGroupId": None}, {"MessageGroupId": ["a"]}])
def test_a_message_without_a_group_is_a_group_of_its_own(
    fifo_queue: Any, process: Any, highest: Any, attributes: Any
) -> None:
    fifo_queue.send("bad", "ok", group="a")
    event = fifo_queue.receive()
    for record in event["Records"]:
        record["attributes"] = attributes
    result = process(event)
    assert result.counts() == {"failed": 1, "not_attempted": 1}
    assert VisibilityBackoff(9, fifo=True, random=highest)._delays(result.failures) == {0: 9}


def test_groups_of_a_standard_queue_are_nothing_to_it(queue: Any, process: Any, highest: Any) -> None:
    queue.send("bad", "bad")
    event = queue.receive()
    for record in event["Records"]:
        record["attributes"]["MessageGroupId"] = "a"
    VisibilityBackoff(9, fifo=True, random=highest)._delays(process(event).failures)
    assert len(highest.asked) == 2


def test_a_hidden_message_blocks_its_group_and_no_other(
    fifo_queue: Any, client: Any, process: Any, highest: Any
) -> None:
    fifo_queue.send("bad", "ok 1", group="a")
    VisibilityBackoff(900, client=client, fifo=True, random=highest).after_batch(
        by_group(process, fifo_queue.receive())
    )
    fifo_queue.send("ok 2", group="a")
    fifo_queue.send("ok 3", group="b")
    assert [record["body"] for record in fifo_queue.receive()["Records"]] == ["ok 3"]


def test_a_group_comes_back_in_its_order(fifo_queue: Any, client: Any, process: Any, highest: Any) -> None:
    fifo_queue.send("ok 1", "bad 1", "ok 2", "bad 2", group="a")
    event = fifo_queue.receive()
    result = by_group(process, event)
    VisibilityBackoff(900, client=client, fifo=True, random=highest).after_batch(result)
    done, *again = event["Records"]
    fifo_queue.sqs.delete_message(QueueUrl=fifo_queue.url, ReceiptHandle=done["receiptHandle"])
    fifo_queue.send("ok 3", group="a")
    fifo_queue.show({"Records": again})  # the local server loses the order when delays run out by themselves
    assert [record["body"] for record in fifo_queue.receive()["Records"]] == ["bad 1", "ok 2", "bad 2", "ok 3"]


def test_a_strict_processor_hides_the_group_that_stopped_it(
    fifo_queue: Any, client: Any, process: Any, highest: Any
) -> None:
    fifo_queue.send("bad", group="a")
    fifo_queue.send("ok", group="b")
    result = process(fifo_queue.receive(), processor=SqsFifoPartialProcessor)
    VisibilityBackoff(9, client=client, fifo=True, random=highest).after_batch(result)
    assert fifo_queue.hidden() == {"bad": near(9), "ok": UNTOUCHED}
