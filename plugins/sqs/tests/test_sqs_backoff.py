"""What failed stays hidden for longer each time it comes."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

import batchcore
import batchcore_sqs
from batchcore import (
    BatchProcessingError,
    BatchProcessor,
    ConfigurationError,
    Disposition,
    process_partial_response,
)
from batchcore_sqs import VisibilityBackoff

HOURS = 3600
LIMIT = 12 * HOURS
UNTOUCHED = pytest.approx(1000, abs=20)
"""What is left of the queue's own visibility timeout."""


def near(seconds: float) -> Any:
    """Allow for the time that a test takes."""
    return pytest.approx(seconds, abs=2)


def received(count: object = 1, age: object = 0.0) -> dict[str, Any]:
    """Make the event of a message that fails, and that was first received some seconds ago."""
    attributes: dict[str, Any] = {"ApproximateReceiveCount": str(count)}
    if isinstance(age, (int, float)):
        attributes["ApproximateFirstReceiveTimestamp"] = str(int((time.time() - age) * 1000))
    elif age is not None:
        attributes["ApproximateFirstReceiveTimestamp"] = age
    record = {"messageId": "m", "receiptHandle": "r", "body": "bad", "attributes": attributes, "eventSource": "aws:sqs"}
    return {"Records": [{**record, "eventSourceARN": "arn:aws:sqs:us-east-1:1:orders"}]}


def delay_of(event: dict[str, Any], process: Any, *arguments: Any, **options: Any) -> int:
    """Give what a message is hidden for, without a call."""
    (delay,) = VisibilityBackoff(*arguments, **options)._delays(process(event).failures).values()
    return delay


# How long.


def test_a_message_is_hidden_for_longer_each_time_until_it_is_a_dead_letter(
    make_queue: Any, sqs: Any, client: Any, process: Any, highest: Any
) -> None:
    dead = make_queue()
    policy = f'{{"deadLetterTargetArn": "{dead.arn}", "maxReceiveCount": 4}}'
    queue = make_queue(RedrivePolicy=policy)
    backoff = VisibilityBackoff(10, 70, client=client, random=highest)
    queue.send("bad")
    seen = []
    while (event := queue.receive())["Records"]:
        backoff.after_batch(process(event))
        seen.append(queue.hidden()["bad"])
        queue.show(event)
    assert seen == [near(10), near(20), near(40), near(70)]
    assert [record["body"] for record in dead.receive()["Records"]] == ["bad"]


def test_a_message_comes_back_when_its_delay_is_over(queue: Any, client: Any, process: Any, highest: Any) -> None:
    queue.send("bad")
    VisibilityBackoff(1, client=client, random=highest).after_batch(process(queue.receive()))
    assert queue.receive()["Records"] == []
    (record,) = queue.receive(wait=2)["Records"]
    assert record["attributes"]["ApproximateReceiveCount"] == "2"


def test_a_delay_may_be_none_at_all(queue: Any, client: Any, process: Any) -> None:
    class Lowest:
        def uniform(self, a: float, b: float) -> float:
            return a

    queue.send("bad")
    VisibilityBackoff(60, client=client, random=Lowest()).after_batch(process(queue.receive()))
    assert len(queue.receive()["Records"]) == 1


@pytest.mark.parametrize(("count", "longest"), [(1, 7), (2, 14), (3, 28), (4, 50), (100, 50)])
def test_a_delay_is_drawn_between_nothing_and_the_longest_for_this_receive(
    process: Any, highest: Any, count: int, longest: int
) -> None:
    assert delay_of(received(count), process, 7, 50, random=highest) == longest
    assert highest.asked == [(0, longest)]


@settings(deadline=None)  # a machine that is busy is no failure
@given(
    base=st.floats(0.01, 100),
    maximum=st.floats(100, LIMIT),
    count=st.integers(1, 10**30),
    age=st.floats(0, 30 * 24 * HOURS),
    seed=st.integers(),
)
def test_a_delay_is_whole_seconds_within_its_bounds(
    base: float, maximum: float, count: int, age: float, seed: int
) -> None:
    processor = BatchProcessor("sqs", raise_on_entire_batch_failure=False)
    result = processor.run(received(count, age), lambda _: 1 / 0)
    (delay,) = VisibilityBackoff(base, maximum, random=Random(seed))._delays(result.failures).values()
    assert isinstance(delay, int)
    longest = min(maximum, base * 2 ** min(count - 1, 40))
    assert 0 <= delay <= math.ceil(longest)
    if count == 1 and age < LIMIT - 60:  # it grows until the delay is drawn
        assert delay == 0 or age + delay < LIMIT


def test_delays_are_spread_over_all_there_are(process: Any) -> None:
    event = {"Records": received()["Records"] * 2000}
    delays = VisibilityBackoff(4)._delays(process(event).failures)
    assert set(delays.values()) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("count", ["", "x", "0", "-5", "9" * 10_000])
def test_a_receive_count_that_is_none_is_taken_for_the_first(process: Any, highest: Any, count: str) -> None:
    assert delay_of(received(count), process, 30, random=highest) == 30


def test_a_receive_count_may_be_huge(process: Any, highest: Any) -> None:
    assert delay_of(received("9" * 300), process, 0.001, 500, random=highest) == 500


def test_a_first_delay_is_half_a_minute_and_the_last_a_quarter_of_an_hour_unless_told_otherwise(
    process: Any, highest: Any
) -> None:
    assert delay_of(received(1), process, random=highest) == 30
    assert delay_of(received(50), process, random=highest) == 900


def test_delays_may_be_given_as_timedeltas(process: Any, highest: Any) -> None:
    arguments = timedelta(minutes=1), timedelta(hours=1)
    assert delay_of(received(1), process, *arguments, random=highest) == 60
    assert delay_of(received(99), process, *arguments, random=highest) == 3600


# The limit of SQS.


def test_sqs_refuses_more_than_is_left_of_twelve_hours_and_is_never_asked_for_it(
    queue: Any, client: Any, process: Any, highest: Any
) -> None:
    queue.send("bad")
    event = queue.receive()
    with pytest.raises(ClientError, match="beyond the limit"):
        queue.sqs.change_message_visibility(
            QueueUrl=queue.url, ReceiptHandle=event["Records"][0]["receiptHandle"], VisibilityTimeout=LIMIT
        )
    VisibilityBackoff(LIMIT, LIMIT, client=client, random=highest).after_batch(process(event))
    assert queue.hidden()["bad"] == near(LIMIT - HOURS / 2)


@pytest.mark.parametrize(
    ("count", "age", "left"),
    [
        (1, 0, 11.5),
        (1, 60, 11.5 - 1 / 60),
        (1, 5 * HOURS, 6.5),  # it is known when this receive was
        (1, 11.9 * HOURS, 0),
        (2, 60, 11.5 - 1 / 60),  # not longer ago than the first
        (2, 5 * HOURS, 8.25),  # nor than a batch of the longest invocation is tried again
        (7, 24 * HOURS, 8.25),
        (1, 24 * HOURS, 8.25),  # not the time of a message that is still hidden
        (1, -HOURS, 11.5),  # a clock that is wrong
        ("?", 5 * HOURS, 8.25),
        (1, None, 8.25),
        (1, "soon", 8.25),
        (1, "9" * 4000, 8.25),
    ],
)
def test_a_delay_ends_before_twelve_hours_after_the_receive(
    process: Any, highest: Any, count: object, age: object, left: float
) -> None:
    assert delay_of(received(count, age), process, LIMIT, LIMIT, random=highest) == near(left * HOURS)


# Which messages.


def test_what_is_done_is_left_alone(queue: Any, client: Any, between: Any, process: Any, highest: Any) -> None:
    queue.send("ok", "bad", "ok too")
    result = process(queue.receive())
    VisibilityBackoff(5, client=client, random=highest).after_batch(result)
    assert queue.hidden() == {"ok": UNTOUCHED, "bad": near(5), "ok too": UNTOUCHED}


def test_what_was_dropped_is_left_alone(queue: Any, client: Any, between: Any, process: Any) -> None:
    queue.send("bad")
    result = process(queue.receive(), dispositions={ValueError: Disposition.DROP})
    VisibilityBackoff(client=client).after_batch(result)
    assert between.calls == []


def test_what_was_not_attempted_is_left_alone(queue: Any, client: Any, process: Any, highest: Any) -> None:
    queue.send("bad", "ok")
    result = process(queue.receive(), dispositions={ValueError: Disposition.STOP_BATCH})
    assert result.counts() == {"failed": 1, "not_attempted": 1}
    VisibilityBackoff(5, client=client, random=highest).after_batch(result)
    assert queue.hidden() == {"bad": near(5), "ok": UNTOUCHED}


def test_messages_are_changed_ten_at_a_time(queue: Any, client: Any, between: Any, process: Any, highest: Any) -> None:
    bodies = [f"bad {number}" for number in range(23)]
    queue.send(*bodies)
    VisibilityBackoff(5, client=client, random=highest).after_batch(process(queue.receive()))
    assert [len(call) for call in between.calls] == [10, 10, 3]
    assert queue.hidden() == dict.fromkeys(bodies, near(5))


def test_each_message_has_a_delay_of_its_own(queue: Any, client: Any, process: Any) -> None:
    queue.send("bad 1", "bad 2", "bad 3")
    VisibilityBackoff(900, client=client, random=Random(1)).after_batch(process(queue.receive()))
    assert len(set(queue.hidden().values())) == 3


def test_without_a_failure_there_is_no_call_and_no_client(
    queue: Any, between: Any, process: Any, environment: Any
) -> None:
    from batchcore_sqs import visibility

    queue.send("ok")
    VisibilityBackoff().after_batch(process(queue.receive()))
    VisibilityBackoff().after_batch(process({"Records": []}))
    assert between.calls == []
    assert visibility._clients == {}


def test_a_batch_of_another_source_is_left_alone(sample: Any, client: Any, between: Any) -> None:
    def fail(record: object) -> None:
        raise ValueError

    processor = BatchProcessor("kinesis", raise_on_entire_batch_failure=False)
    result = processor.run(sample("kinesisStreamEvent"), fail)
    assert result.failures
    VisibilityBackoff(client=client).after_batch(result)
    assert between.calls == []


# As a plugin.


@pytest.mark.parametrize("raises", [False, True])
def test_a_processor_lets_it_hide_what_failed_whether_it_raises_or_not(
    queue: Any, client: Any, highest: Any, raises: bool
) -> None:
    def fail(record: object) -> None:
        raise ValueError

    queue.send("bad")
    backoff = VisibilityBackoff(5, client=client, random=highest)
    processor = BatchProcessor("sqs", raise_on_entire_batch_failure=raises, plugins=[backoff])
    with pytest.raises(BatchProcessingError) if raises else nullcontext():
        process_partial_response(queue.receive(), fail, processor)
    assert queue.hidden() == {"bad": near(5)}


def test_a_processor_logs_once_what_could_not_be_hidden_and_answers_as_it_would(
    queue: Any, client: Any, between: Any, process: Any, caplog: pytest.LogCaptureFixture
) -> None:
    between.faults = [(500, "InternalError")]
    queue.send("bad", "ok")
    result = process(queue.receive(), plugins=[VisibilityBackoff(5, client=client)])
    assert result.response == {"batchItemFailures": [{"itemIdentifier": result.batch.identifiers[0]}]}
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "The visibility timeout of 1 of 1 messages was not changed" in line


# What it is told.


@pytest.mark.parametrize("name", ["base", "maximum"])
@pytest.mark.parametrize(
    "value",
    [0, -1, math.nan, math.inf, True, "30", None, LIMIT + 1, timedelta(0), timedelta(hours=13), 10**400],
    ids=repr,
)
def test_a_delay_that_sqs_cannot_take_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} is a number of seconds or a timedelta, more than 0"):
        VisibilityBackoff(**{name: value})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base": 61, "maximum": timedelta(minutes=1)}, "base is 61 s, which is more than maximum, 60 s"),
        ({"queue_url": ""}, "queue_url is the URL of a queue or None, not ''"),
        ({"queue_url": 7}, "queue_url is the URL of a queue or None, not 7"),
        ({"client": "sqs"}, "client is a boto3 client of SQS, as .*, not 'sqs'"),
        ({"random": 4}, "random has a method .*; 4 has none"),
    ],
)
def test_what_cannot_be_used_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        VisibilityBackoff(**options)


def test_a_client_without_an_endpoint_needs_the_url_of_the_queue() -> None:
    class Client:
        def change_message_visibility_batch(self, **arguments: Any) -> None: ...

    with pytest.raises(ConfigurationError, match="Pass queue_url= beside it"):
        VisibilityBackoff(client=Client())
    VisibilityBackoff(client=Client(), queue_url="https://queue.example/1/orders")


def test_base_and_maximum_may_be_the_same() -> None:
    VisibilityBackoff(LIMIT, LIMIT)


PROGRAM = """
import sys
sys.path[:0] = {path!r}
from batchcore import BatchProcessor, ConfigurationError
from batchcore_sqs import VisibilityBackoff

class Client:
    meta = None
    def change_message_visibility_batch(self, **arguments): ...

{body}
"""


def run(body: str, path: list[str]) -> str:
    """Run a program in an interpreter that finds no other packages than those of this path."""
    program = PROGRAM.format(path=path, body=body)
    result = subprocess.run([sys.executable, "-I", "-S", "-c", program], check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


OURS = [str(Path(str(package.__file__)).parents[1]) for package in (batchcore, batchcore_sqs)]


def test_without_boto3_a_client_is_asked_for(tmp_path: Path) -> None:
    for package in (batchcore, batchcore_sqs):  # whose folders may hold boto3 as well
        folder = Path(str(package.__file__)).parent
        (tmp_path / folder.name).symlink_to(folder)
    body = (
        "VisibilityBackoff(client=Client())\ntry: VisibilityBackoff()\nexcept ConfigurationError as error: print(error)"
    )
    assert 'pip install "batchcore-sqs[boto3]"' in run(body, [str(tmp_path)])


def test_boto3_is_not_imported_before_a_message_has_failed() -> None:
    record = received()["Records"][0]
    body = (
        "processor = BatchProcessor('sqs', plugins=[VisibilityBackoff()])\n"
        f"processor.run({{'Records': [{record!r}]}}, lambda record: None)\n"
        "print([name for name in ('boto3', 'botocore', 'random', 'batchcore_sqs.visibility') if name in sys.modules])"
    )
    assert run(body, [*OURS, *sys.path]).strip() == "[]"
