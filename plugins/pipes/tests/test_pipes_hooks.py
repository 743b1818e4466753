"""What the sources of pipes tell batchcore: what they claim, by what they name, in which order, and what they raise."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import batchcore_pipes
from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    Disposition,
    RecordIdentityError,
    UnexpectedBatchTypeError,
    WholeBatchRetry,
    async_process_partial_response,
    by_key,
    hookimpl,
    in_order,
    process_partial_response,
)
from batchcore_dynamodb import DynamoDBRecord
from batchcore_kafka import KafkaRecord
from batchcore_kinesis import KinesisStreamRecord
from batchcore_mq import ActiveMQMessage, RabbitMQMessage
from batchcore_pipes import (
    PipesDynamoDB,
    PipesKafka,
    PipesKinesis,
    PipesMQ,
    PipesSQS,
    item_key,
    partition,
    partition_key,
)
from batchcore_pipes.events import RabbitMQPipeEvents
from batchcore_sqs import SQSRecord, message_group
from batchcore_testing import make_event

Sample = Callable[[str], Any]
SOURCES = {source.name: source for source in (PipesSQS, PipesKinesis, PipesDynamoDB, PipesKafka, PipesMQ)}
SAMPLES = {
    "pipes-sqs": "pipes-sqs",
    "pipes-kinesis": "pipes-kinesis",
    "pipes-dynamodb": "pipes-dynamodb",
    "pipes-kafka": "pipes-kafka",
    "pipes-kafka-self-managed": "pipes-kafka",
    "pipes-activemq": "pipes-mq",
    "pipes-rabbitmq": "pipes-mq",
}
STREAMS = ("pipes-kinesis", "pipes-dynamodb")
WHOLE = ("pipes-kafka", "pipes-mq")
every_source = pytest.mark.parametrize("name", SOURCES)


def event_of(name: str, *contents: str, **sent: Any) -> list[Any]:
    event: list[Any] = make_event(name, *contents, sent=sent)
    return event


def failing(*bad: int) -> Callable[[Any], None]:
    """Make a handler that fails at these positions."""
    calls: list[Any] = []

    def handle(record: Any) -> None:
        calls.append(record)
        if len(calls) - 1 in bad:
            raise ValueError(f"record {len(calls) - 1}")

    return handle


def test_the_public_names_are_sorted_and_there() -> None:
    assert batchcore_pipes.__all__ == sorted(batchcore_pipes.__all__)
    assert all(hasattr(batchcore_pipes, name) for name in batchcore_pipes.__all__)


# What is claimed.


@pytest.mark.parametrize(("sample_name", "name"), SAMPLES.items())
def test_a_list_of_its_records_is_claimed_by_one_source_alone(sample: Sample, sample_name: str, name: str) -> None:
    assert [other for other, source in SOURCES.items() if source.claims_event(sample(sample_name))] == [name]


@pytest.mark.parametrize(("sample_name", "name"), SAMPLES.items())
def test_a_list_is_not_claimed_by_the_source_of_a_mapping(sample: Sample, sample_name: str, name: str) -> None:
    for other in ("sqs", "kinesis", "dynamodb"):
        with pytest.raises(UnexpectedBatchTypeError, match="name what the pipe reads"):
            BatchProcessor(other).run(sample(sample_name), print)


@pytest.mark.parametrize(("sample_name", "name"), SAMPLES.items())
def test_a_list_is_never_guessed(sample: Sample, sample_name: str, name: str) -> None:
    handled: list[Any] = []
    with pytest.raises(UnexpectedBatchTypeError, match="not guessed"):
        BatchProcessor().run(sample(sample_name), handled.append)
    assert handled == []


def test_records_alone_are_those_of_a_mapping_unless_a_pipe_is_named(sample: Sample) -> None:
    messages = sample("pipes-sqs")
    for processor, source in ((BatchProcessor(), "sqs"), (BatchProcessor("pipes-sqs"), "pipes-sqs")):
        with processor(records=messages, handler=lambda record: None):
            assert processor.process()
        assert processor.run({"Records": messages} if source == "sqs" else messages, str).batch.source == source


@every_source
@pytest.mark.parametrize("event", [None, {}, {"Records": []}, "text", 7, [None], [7], ["a"], [[]], [{}]], ids=repr)
def test_what_is_no_list_of_records_is_not_claimed(name: str, event: Any) -> None:
    assert SOURCES[name].claims_event(event) is False


@every_source
def test_an_event_of_a_mapping_is_not_claimed(name: str) -> None:
    assert SOURCES[name].claims_event({"Records": event_of(name, "a")}) is False


@every_source
def test_a_record_that_does_not_say_where_it_is_from_is_not_claimed(name: str) -> None:
    first, second = event_of(name, "a", "b")
    del second["eventSource"]

    assert SOURCES[name].claims_event([first]) is True
    assert SOURCES[name].claims_event([first, second]) is False


@pytest.mark.parametrize(
    ("name", "said"),
    [
        *(("pipes-kafka", said) for said in ("aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka")),
        *(("pipes-mq", said) for said in ("aws:amq", "aws:mq", "aws:rmq")),
    ],
)
def test_every_spelling_of_where_a_record_is_from_is_claimed(name: str, said: str) -> None:
    event: list[Any] = make_event(name, "a", "b", eventSource=said)

    assert [other for other, source in SOURCES.items() if source.claims_event(event)] == [name]


def test_messages_of_two_kinds_of_broker_are_no_event(sample: Sample) -> None:
    assert PipesMQ.claims_event([*sample("pipes-activemq"), *sample("pipes-rabbitmq")]) is False


@every_source
def test_a_list_without_records_is_a_success(name: str) -> None:
    assert BatchProcessor(name).run([], print).response == {"batchItemFailures": []}


# By what it names.


@pytest.mark.parametrize(("name", "field"), [("pipes-sqs", "messageId"), *((stream, "eventID") for stream in STREAMS)])
def test_a_response_names_a_record_as_a_pipe_does(name: str, field: str) -> None:
    event = event_of(name, "a", "b", "c")

    response = process_partial_response(event, failing(1), BatchProcessor(name))

    assert response == {"batchItemFailures": [{"itemIdentifier": event[1][field]}]}


@pytest.mark.parametrize(("name", "field"), [("pipes-sqs", "messageId"), *((stream, "eventID") for stream in STREAMS)])
@pytest.mark.parametrize("value", [None, "", 7])
def test_a_record_without_such_a_name_is_refused_before_the_first(name: str, field: str, value: Any) -> None:
    event = event_of(name, "a", "b")
    event[1][field] = value
    handled: list[Any] = []

    with pytest.raises(RecordIdentityError, match=f"Record 1 of the batch.*{field}"):
        BatchProcessor(name).run(event, handled.append)
    assert handled == []


# Whole batch.


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("raises", [True, False])
def test_a_failure_fails_the_call_after_every_record_had_its_turn(name: str, raises: bool) -> None:
    handled: list[Any] = []

    def handle(record: Any) -> None:
        handled.append(record)
        if len(handled) == 1:
            raise ValueError("the first")

    with pytest.raises(WholeBatchRetry, match=f"1 of 3 records of {name} are not done") as caught:
        BatchProcessor(name, raise_on_entire_batch_failure=raises).run(event_of(name, "a", "b", "c"), handle)
    assert len(handled) == 3
    assert str(caught.value.__cause__) == "the first"


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("disposition", [Disposition.DROP, Disposition.DEAD_LETTER])
def test_a_record_that_is_given_up_fails_no_call(name: str, disposition: Disposition) -> None:
    delivered: list[int] = []

    class Deliverer:
        @hookimpl
        def deliver_dead_letter(self, outcome: Any) -> None:
            delivered.append(outcome.position)

    processor = BatchProcessor(name, dispositions={ValueError: disposition}, plugins=[Deliverer()])

    assert processor.run(event_of(name, "a", "b"), failing(1)).response == {"batchItemFailures": []}
    assert delivered == ([1] if disposition is Disposition.DEAD_LETTER else [])


# Order.


def run_async(name: str, event: list[Any], **options: Any) -> tuple[Any, list[str]]:
    """Process with a handler of which the later records of a batch want to be done first."""
    seen: list[str] = []
    positions = {id(record): position for position, record in enumerate(event)}

    async def handle(record: Any) -> None:
        position = positions[id(record.raw_event)]
        for _ in range(10 - position):
            await asyncio.sleep(0)
        seen.append(str(position))

    return async_process_partial_response(event, handle, AsyncBatchProcessor(name, **options)), seen


@pytest.mark.parametrize("name", [*STREAMS, "pipes-kafka"])
def test_records_of_one_key_are_in_order_and_others_side_by_side(name: str) -> None:
    event: list[Any] = make_event(name, "a", "b", "c", "d", lanes=2)
    _, seen = run_async(name, event)

    assert seen.index("0") < seen.index("2")
    assert seen.index("1") < seen.index("3")
    assert seen[0] == "1"  # a record of another lane was quicker


def test_messages_of_a_fifo_queue_stop_at_the_first_failure_and_those_of_others_do_not() -> None:
    for resource, named in (("orders", 1), ("orders.fifo", 3)):
        event = event_of("pipes-sqs", "a", "b", "c", "d", resource=resource, key="g")
        response = BatchProcessor("pipes-sqs").run(event, failing(1)).response
        expected = [event[1]] if named == 1 else event[1:]
        assert response["batchItemFailures"] == [{"itemIdentifier": record["messageId"]} for record in expected]


def test_a_caller_may_choose_an_order_by_the_keys_of_raw_records() -> None:
    event: list[Any] = make_event("pipes-kinesis", "a", "b", "c", "d", lanes=2)
    processor = BatchProcessor("pipes-kinesis", ordering=by_key(partition_key))
    assert [item["itemIdentifier"] for item in processor.run(event, failing(0)).response["batchItemFailures"]] == [
        event[0]["eventID"],
        event[2]["eventID"],
    ]
    processor = BatchProcessor("pipes-kinesis", ordering=in_order())
    assert len(processor.run(event, failing(1)).response["batchItemFailures"]) == 3


def test_message_groups_of_a_pipe_are_those_of_the_queue() -> None:
    event: list[Any] = make_event("pipes-sqs", "a", "b", "c", "d", lanes=2, sent={"resource": "orders.fifo"})
    processor = BatchProcessor("pipes-sqs", ordering=by_key(message_group))
    assert [item["itemIdentifier"] for item in processor.run(event, failing(0)).response["batchItemFailures"]] == [
        event[0]["messageId"],
        event[2]["messageId"],
    ]


def test_keys_are_read_of_what_a_pipe_delivers_and_nothing_else(sample: Sample) -> None:
    assert [partition_key(record) for record in sample("pipes-kinesis")] == ["1", "1"]
    assert [item_key(record) for record in sample("pipes-dynamodb")] == ['{"Id": {"N": "101"}}'] * 2
    assert partition(sample("pipes-kafka")[0]) == ("mytopic", "0") == partition({"topic": "mytopic", "partition": 0})
    assert partition_key({"sequenceNumber": "1"}) is None
    assert item_key({"dynamodb": {}}) is None
    with pytest.raises(ValueError, match="as a pipe has it"):
        partition_key({"kinesis": {"partitionKey": "1"}})
    with pytest.raises(ValueError, match="takes a record of DynamoDB Streams"):
        item_key({"messageId": "1"})
    with pytest.raises(KeyError):
        partition({"messageId": "1"})


def test_how_each_is_acknowledged() -> None:
    assert {name: source.acknowledgement() for name, source in SOURCES.items()} == {
        "pipes-sqs": "record",
        "pipes-kinesis": "checkpoint",
        "pipes-dynamodb": "checkpoint",
        "pipes-kafka": "batch",
        "pipes-mq": "batch",
    }


# What handlers get, and logs.

GOT = {
    "pipes-sqs": SQSRecord,
    "pipes-kinesis": KinesisStreamRecord,
    "pipes-dynamodb": DynamoDBRecord,
    "pipes-kafka": KafkaRecord,
    "pipes-mq": ActiveMQMessage,
}


@every_source
def test_a_handler_gets_the_view_of_the_source_that_the_pipe_reads(name: str) -> None:
    got: list[Any] = []
    BatchProcessor(name).run(event_of(name, "{}"), got.append)

    assert isinstance(got[0], GOT[name])
    assert dict(got[0]) == event_of(name, "{}")[0]


WITHOUT = """
import sys
packages = [f"batchcore_{name}" for name in ("sqs", "kinesis", "dynamodb", "kafka", "mq")]
assert not {*packages} & {*sys.modules}
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in packages:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
import batchcore_pipes
from batchcore import BatchProcessor
for name, record in {
    "pipes-sqs": {"messageId": "1", "eventSource": "aws:sqs", "body": "b"},
    "pipes-kinesis": {"eventID": "1", "eventSource": "aws:kinesis", "sequenceNumber": "1"},
    "pipes-dynamodb": {"eventID": "1", "eventSource": "aws:dynamodb", "dynamodb": {}},
    "pipes-kafka": {"eventSource": "aws:kafka", "topic": "orders", "partition": "0"},
    "pipes-mq": {"eventSource": "aws:rmq", "data": "e30="},
}.items():
    got = []
    result = BatchProcessor(name).run([record], got.append)
    print(name, type(got[0]).__name__, dict(got[0]) == record, result.batch.original_message(record).body[:13])
"""


def test_where_a_package_is_not_installed_a_handler_gets_the_raw_record() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], check=True, capture_output=True, text=True)

    assert done.stdout.splitlines() == [
        'pipes-sqs RecordView True {"messageId":',
        'pipes-kinesis RecordView True {"eventID": "',
        'pipes-dynamodb RecordView True {"eventID": "',
        'pipes-kafka RecordView True {"eventSource',
        'pipes-mq RecordView True {"eventSource',
    ]


@pytest.mark.parametrize(
    ("name", "sampled", "view", "read"),
    [
        ("pipes-kafka", "pipes-kafka", KafkaRecord, ("partition", 0)),
        ("pipes-kafka", "pipes-kafka-self-managed", KafkaRecord, ("partition", 0)),
        ("pipes-mq", "pipes-activemq", ActiveMQMessage, ("decoded_data", "ABC:AAAA")),
        ("pipes-mq", "pipes-rabbitmq", RabbitMQMessage, ("json_data", {"timeout": 0, "data": "CZrmf0Gw8Ov4bqLQxD4E"})),
    ],
)
def test_the_views_of_kafka_and_amazon_mq_read_what_a_pipe_delivers(
    sample: Sample, name: str, sampled: str, view: type[Any], read: tuple[str, Any]
) -> None:
    got: list[Any] = []
    BatchProcessor(name).run(sample(sampled), got.append)

    assert all(isinstance(record, view) for record in got)
    assert (read[0], getattr(got[0], read[0])) == read


BROKEN = """
import sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "batchcore_sqs.hooks":
            raise ModuleNotFoundError("No module named 'something'", name="something")
sys.meta_path.insert(0, Broken())
from batchcore import BatchProcessor
try:
    BatchProcessor("pipes-sqs").run([{"messageId": "1", "eventSource": "aws:sqs"}], print)
except ModuleNotFoundError as error:
    print(error.name)
"""


def test_a_package_that_is_there_and_broken_is_not_taken_for_missing() -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN], check=True, capture_output=True, text=True)

    assert done.stdout == "something\n"


ASKED = """
import sys, json
from batchcore import BatchProcessor
name, record = sys.argv[1], json.loads(sys.argv[2])
BatchProcessor(name).run([record], lambda record: None)
print(*sorted(name for name in sys.modules if name.startswith("batchcore_") and "." not in name))
"""


@pytest.mark.parametrize(
    ("name", "loaded"),
    [
        ("pipes-sqs", "batchcore_pipes batchcore_sqs"),
        ("pipes-kinesis", "batchcore_kinesis batchcore_pipes"),
        ("pipes-dynamodb", "batchcore_dynamodb batchcore_pipes"),
    ],
)
def test_nothing_is_imported_but_the_source_that_is_asked_for(name: str, loaded: str) -> None:
    import json

    record = json.dumps(event_of(name, "{}")[0])
    done = subprocess.run([sys.executable, "-c", ASKED, name, record], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == loaded


def test_a_record_is_described_by_where_it_is_from(sample: Sample) -> None:
    described = {name: SOURCES[source].describe_record(sample(name)[0]) for name, source in SAMPLES.items()}
    kafka = {"topic": "mytopic", "partition": "0", "offset": 15}
    assert described == {
        "pipes-sqs": {"queue": "my-queue"},
        "pipes-kinesis": {"stream": "lambda-stream", "shard_id": "shardId-000000000006", "partition_key": "1"},
        "pipes-dynamodb": {"event_name": "INSERT"},
        "pipes-kafka": kafka,
        "pipes-kafka-self-managed": kafka,
        "pipes-activemq": {"broker": "test", "queue": "testQueue"},
        "pipes-rabbitmq": {"broker": "pizzaBroker", "queue": "pizzaQueue::/"},
    }


def test_the_spellings_of_a_destination_are_both_read() -> None:
    (record,) = event_of("pipes-mq", "a")
    record["destination"] = {"physicalName": "other"}

    assert PipesMQ.describe_record(record)["queue"] == "other"


@pytest.mark.parametrize(("count", "attempt"), [("3", 3), ("0", None), ("x", None), (None, None)])
def test_the_receives_of_a_message_are_counted(count: Any, attempt: int | None) -> None:
    (record,) = event_of("pipes-sqs", "a")
    record["attributes"]["ApproximateReceiveCount"] = count

    assert PipesSQS.delivery_attempt(record) == attempt


def test_a_message_is_sent_on_as_it_was_sent() -> None:
    (record,) = event_of("pipes-sqs", "hello", resource="orders.fifo", key="g")

    assert PipesSQS.original_message(record).body == "hello"


def test_both_kinds_of_broker_are_read_by_one_source() -> None:
    for factory in ("pipes-mq", RabbitMQPipeEvents()):
        event: list[Any] = make_event(factory, {"order": 1})
        assert BatchProcessor("pipes-mq").run(event, str).response == {"batchItemFailures": []}
