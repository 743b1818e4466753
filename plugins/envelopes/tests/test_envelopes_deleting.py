"""Payloads are deleted where AWS is known to be done with their records, by the response; everywhere else they stay."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

import batchcore_envelopes as envelopes
from batchcore import AsyncBatchProcessor, BatchProcessor, WholeBatchRetry, by_key, hookimpl, unordered
from batchcore_envelopes import SNS, S3Payloads, UserRecords
from batchcore_kafka import KafkaSource, record_key
from batchcore_testing import make_event

QUIET = {"raise_on_entire_batch_failure": False}


def pointer(key: str, bucket: str = "inbox") -> str:
    return json.dumps(["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": bucket, "s3Key": key}])


class Client:
    """What S3Payloads needs of a client of S3: every object holds its own key."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        return {"Body": io.BytesIO(Key.encode()), "ContentLength": len(Key)}

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - as above
        self.deleted += [each["Key"] for each in Delete["Objects"]]
        return {}


@pytest.fixture
def client() -> Client:
    return Client()


def deleting(client: Client, *around: Any) -> Any:
    return envelopes.open(*around, S3Payloads(["inbox"], client=client, marked=False, delete=True))


def partition(*values: str) -> dict[str, Any]:
    """Make an event of Kafka whose records are of one partition, each with the first letter of its value as its key."""
    event: dict[str, Any] = make_event("kafka", *map(pointer, values))
    records = [record for some in event["records"].values() for record in some]
    for offset, (record, value) in enumerate(zip(records, values, strict=True)):
        key = base64.b64encode(value[:1].encode()).decode()
        record.update(topic="t", partition=0, offset=offset, key=key)
    event["records"] = {"t-0": records}
    return event


def of_kafka(record: Any) -> None:
    if b"bad" in record.decoded_value:
        raise ValueError


@pytest.mark.parametrize("ordering", [None, unordered, by_key(record_key)], ids=["source's", "unordered", "by key"])
def test_what_kafka_delivers_again_behind_a_failure_is_kept(client: Client, ordering: Any) -> None:
    processor = BatchProcessor("kafka", plugins=[deleting(client)], ordering=ordering)
    processor.run(partition("a1", "b-bad", "a3", "c4"), of_kafka)
    assert client.deleted == ["a1"], "its offset is committed; what succeeded behind the failure comes again"


def test_of_two_failures_the_lower_one_counts_and_other_partitions_are_done(client: Client) -> None:
    event = partition("a1", "b-bad", "a3", "d-bad", "a5")
    other = partition("x1", "x2")["records"]["t-0"]
    event["records"]["t-1"] = [{**record, "partition": 1} for record in other]
    BatchProcessor("kafka", plugins=[deleting(client)], ordering=unordered).run(event, of_kafka)
    assert client.deleted == ["a1", "x1", "x2"]


def test_in_queue_mode_what_is_behind_a_failure_is_over(client: Client) -> None:
    processor = BatchProcessor(KafkaSource(mode="queue"), plugins=[deleting(client)])
    processor.run(partition("a1", "b-bad", "a3"), of_kafka)
    assert client.deleted == ["a1", "a3"]


def test_what_firehose_is_told_has_failed_for_its_size_is_kept_with_all_others(client: Client) -> None:
    event = make_event("firehose", *(pointer(f"k{number}") for number in range(3)))
    result = BatchProcessor("firehose", plugins=[deleting(client)]).run(event, lambda record: b"x" * 3_000_000)
    assert result.counts() == {"failed": 2, "succeeded": 1}
    assert "ProcessingFailed" in {entry["result"] for entry in result.response["records"]}
    assert client.deleted == []


def test_where_a_source_makes_the_whole_batch_come_again_nothing_is_deleted(client: Client) -> None:
    def handler(record: Any) -> None:
        if "bad" in record.decoded_data:
            raise ValueError

    processor = BatchProcessor("activemq", plugins=[deleting(client)])
    with pytest.raises(WholeBatchRetry):
        processor.run(make_event("activemq", pointer("good"), pointer("bad")), handler)
    assert client.deleted == []
    processor.run(make_event("activemq", pointer("good")), handler)
    assert client.deleted == ["good"]


@pytest.mark.parametrize(
    "respond",
    [
        lambda batch: {"batchItemFailures": [{"itemIdentifier": name} for name in batch.identifiers]},
        lambda batch: {"batchItemFailures": [{"itemIdentifier": "of nobody"}]},
        lambda batch: {"batchItemFailures": [{}]},
        lambda batch: {"batchItemFailures": None},
        lambda batch: {},
        lambda batch: "done",
    ],
    ids=["names all", "names a stranger", "names nobody", "no list", "nothing", "no object"],
)
def test_a_response_that_is_not_the_usual_one_deletes_nothing(client: Client, respond: Any) -> None:
    class Another:
        @hookimpl(wrapper=True)
        def build_response(self, batch: Any, outcomes: Any) -> Any:
            yield
            return respond(batch)

    processor = BatchProcessor("sqs", plugins=[deleting(client), Another()])
    assert processor.run(make_event("sqs", pointer("1"), pointer("2")), lambda record: None).counts() == {
        "succeeded": 2
    }
    assert client.deleted == []


def test_a_response_that_names_fewer_than_have_failed_deletes_nothing(client: Client) -> None:
    class Forgets:
        @hookimpl(wrapper=True)
        def build_response(self, batch: Any, outcomes: Any) -> Any:
            yield
            return {"batchItemFailures": []}

    def handler(record: Any) -> None:
        if "bad" in record.body:
            raise ValueError

    processor = BatchProcessor("sqs", plugins=[deleting(client), Forgets()])
    processor.run(make_event("sqs", pointer("1"), pointer("bad")), handler)
    assert client.deleted == []


class Context:
    """A Lambda context with time left, so that calls to the outside are made in a thread of their own."""

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def in_a_block(processor: Any, records: Any, context: Any, fails: bool) -> None:
    with processor(records=records, handler=lambda record: record.body, lambda_context=context):
        processor.process()
        if fails:
            raise RuntimeError("of the function's own")


def in_a_block_with_async(processor: Any, records: Any, context: Any, fails: bool) -> None:
    async def handler(record: Any) -> str:
        body: str = record.body
        return body

    with processor(records=records, handler=handler, lambda_context=context):
        processor.async_process()
        if fails:
            raise RuntimeError("of the function's own")


@pytest.mark.parametrize("context", [None, Context()], ids=["in this thread", "in a thread"])
@pytest.mark.parametrize(
    ("make", "block"),
    [(BatchProcessor, in_a_block), (AsyncBatchProcessor, in_a_block_with_async)],
    ids=["sync", "async"],
)
def test_an_exception_that_leaves_the_block_of_the_context_manager_deletes_nothing(
    client: Client, make: Any, block: Callable[..., None], context: Any
) -> None:
    processor = make("sqs", plugins=[deleting(client)])
    records = make_event("sqs", pointer("1"))["Records"]
    with pytest.raises(RuntimeError, match="of the function's own"):
        block(processor, records, context, fails=True)
    assert client.deleted == [], "Lambda gets no response, so the message comes again"
    block(processor, records, context, fails=False)
    assert client.deleted == ["1"]


def test_no_more_is_deleted_than_may_be_read(client: Client) -> None:
    """A plugin that prepares the record first has taken a pointer to a foreign bucket out of it."""

    class Clean:
        @hookimpl(wrapper=True)
        def record_preparer(self, batch: Any) -> Any:
            prepare = yield
            return lambda record: {**prepare(record), "body": "clean"}

    processor = BatchProcessor("sqs", plugins=[Clean(), deleting(client)])
    assert processor.run(make_event("sqs", pointer("k", "foreign")), lambda record: record.body).return_values == [
        "clean"
    ]
    assert client.deleted == []


def test_payloads_of_records_of_users_are_kept_with_those_that_share_their_record(client: Client, kpl: Any) -> None:
    def handler(record: Any) -> None:
        if "bad" in record.kinesis.data_as_text():
            raise ValueError

    first = kpl.aggregate(("ann", pointer("1a").encode()), ("ben", pointer("1b").encode()))
    second = kpl.aggregate(("ann", pointer("2a").encode()), ("ben", pointer("bad").encode()))
    event = make_event("kinesis", first, second, pointer("3"))
    BatchProcessor("kinesis", plugins=[UserRecords(), deleting(client)], **QUIET).run(event, handler)
    assert client.deleted == ["1a", "1b"]


def test_in_a_fifo_queue_what_was_not_attempted_is_kept(client: Client) -> None:
    def handler(record: Any) -> None:
        if "bad" in record.body:
            raise ValueError

    event = make_event("sqs", *map(pointer, ["1", "bad", "3"]), eventSourceARN="arn:aws:sqs:eu-west-1:1:orders.fifo")
    BatchProcessor("sqs", plugins=[deleting(client)]).run(event, handler)
    assert client.deleted == ["1"]


def test_inside_of_a_notification_of_another_plugin_a_payload_is_read_and_stays(client: Client) -> None:
    body = json.dumps({"TopicArn": "t", "Message": pointer("1")})
    processor = BatchProcessor("sqs", plugins=[envelopes.open(SNS), deleting(client)])
    assert processor.run(make_event("sqs", body), lambda record: record.body).return_values == ["1"]
    assert client.deleted == [], "it is not seen in the record as it was delivered: all are named in one open()"
