"""Payloads in S3, on a local server: read for each record, and deleted when that is done where it was asked for."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

import batchcore_envelopes as envelopes
from batchcore import AsyncBatchProcessor, BatchProcessor, ConfigurationError, DropRecord, Message, hookimpl, in_order
from batchcore_envelopes import SNS, PayloadError, PayloadsNotDeletedError, S3Payloads, S3Pointer, inside
from batchcore_local.server import LocalAws
from batchcore_sqs import SQSRecord
from batchcore_testing import make_event

NEW = "software.amazon.payloadoffloading.PayloadS3Pointer"
OLD = "com.amazon.sqs.javamessaging.MessageS3Pointer"
QUIET = {"raise_on_entire_batch_failure": False}

pytestmark = pytest.mark.usefixtures("_aws_environment")


def pointer(bucket: str, key: str, name: str = NEW) -> str:
    return json.dumps([name, {"s3BucketName": bucket, "s3Key": key}])


def marked(*bodies: str, mark: str | None = "ExtendedPayloadSize", **fields: Any) -> Any:
    """Make an event of messages, as the extended client sends them: with an attribute that says their size."""
    size = {"stringValue": "300000", "dataType": "Number", "stringListValues": [], "binaryListValues": []}
    return make_event("sqs", *bodies, messageAttributes={} if mark is None else {mark: size}, **fields)


def handle(record: SQSRecord) -> str:
    if "bad" in record.body:
        raise ValueError("bad")
    if "drop" in record.body:
        raise DropRecord
    return record.body


async def handle_later(record: SQSRecord) -> str:
    return handle(record)


class Bucket:
    """A bucket that no other test uses."""

    def __init__(self, s3: Any) -> None:
        self.s3 = s3
        self.name = f"payloads-{uuid.uuid4()}"
        self.s3.create_bucket(Bucket=self.name)

    def put(self, text: str | bytes) -> str:
        """Put a payload into the bucket, and give the pointer to it."""
        key = str(uuid.uuid4())
        self.s3.put_object(Bucket=self.name, Key=key, Body=text if isinstance(text, bytes) else text.encode())
        return pointer(self.name, key)

    def payloads(self, **options: Any) -> S3Payloads:
        """Give what reads payloads from this bucket, by the client that there is: to make one takes its time."""
        return S3Payloads([self.name], client=self.s3, **options)

    def texts(self) -> list[str]:
        """Give what is in the bucket."""
        keys = [each["Key"] for each in self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])]
        return sorted(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read().decode() for key in keys)


@pytest.fixture(scope="module")
def s3(aws: LocalAws) -> Any:
    return aws.client("s3")


@pytest.fixture
def bucket(s3: Any) -> Bucket:
    return Bucket(s3)


def run(payloads: S3Payloads, event: Any, *around: Any, processor: Any = BatchProcessor, **options: Any) -> Any:
    made = processor("sqs", plugins=[envelopes.open(*around, payloads)], **{**QUIET, **options})
    return made.run(event, handle_later if processor is AsyncBatchProcessor else handle)


WAYS: list[Callable[..., Any]] = [
    run,
    lambda *arguments, **options: run(*arguments, max_concurrency=4, **options),
    lambda *arguments, **options: run(*arguments, processor=AsyncBatchProcessor, **options),
]
every_way = pytest.mark.parametrize("way", WAYS, ids=["one by one", "in threads", "as tasks"])


# Reading.


@every_way
@pytest.mark.parametrize(("name", "mark"), [(NEW, "ExtendedPayloadSize"), (OLD, "SQSLargePayloadSize")])
def test_a_payload_stands_where_its_pointer_was(way: Any, bucket: Bucket, name: str, mark: str) -> None:
    body = bucket.put("a long tëxt").replace(NEW, name)
    result = way(bucket.payloads(), marked(body, "small", mark=mark))
    assert result.return_values == ["a long tëxt", "small"]
    assert bucket.texts() == ["a long tëxt"], "it was not asked to be deleted"


@every_way
def test_a_payload_that_cannot_be_read_costs_its_record_alone(way: Any, bucket: Bucket) -> None:
    bodies = [bucket.put("1"), pointer(bucket.name, "gone"), bucket.put(b"\xff\xfe"), bucket.put("4")]
    result = way(bucket.payloads(), marked(*bodies))
    assert [each.value for each in result.outcomes] == ["1", None, None, "4"]
    gone, no_text = result.failures
    assert isinstance(gone.exception, PayloadError)
    assert gone.exception.code == "NoSuchKey"
    assert str(gone.exception) == "body points to a payload in S3 that could not be read: NoSuchKey."
    assert isinstance(no_text.exception, UnicodeDecodeError)
    assert len(result.response["batchItemFailures"]) == 2


def test_a_bucket_that_is_not_among_those_named_is_not_asked(bucket: Bucket) -> None:
    other = Bucket(bucket.s3)
    result = run(bucket.payloads(delete=True), marked(other.put("secret"), bucket.put("ours")))
    (failure,) = result.failures
    assert isinstance(failure.exception, PayloadError)
    assert failure.exception.code is None
    assert "is not among those of S3Payloads()" in str(failure.exception)
    assert other.name not in str(failure.exception)
    assert other.texts() == ["secret"]
    assert result.return_values == ["ours"]


def test_a_payload_that_is_too_large_is_not_read(bucket: Bucket) -> None:
    read: list[bytes] = []

    class Client:
        def get_object(self, **arguments: Any) -> Any:
            response = bucket.s3.get_object(**arguments)
            whole = response["Body"].read()
            response["Body"] = nullcontext(Body(whole))
            return response

    class Body:
        def __init__(self, whole: bytes) -> None:
            self.whole = whole

        def read(self) -> bytes:
            read.append(self.whole)
            return self.whole

    payloads = S3Payloads([bucket.name], largest=5, client=Client())
    result = run(payloads, marked(bucket.put("12345"), bucket.put("123456")))
    assert result.return_values == ["12345"]
    assert "points to a payload of 6 bytes; 5 is the most that is read" in str(result.failures[0].exception)
    assert read == [b"12345"]


def test_what_looks_like_a_pointer_counts_where_it_is_marked_or_that_is_not_asked(bucket: Bucket) -> None:
    body = bucket.put("text")
    assert run(bucket.payloads(), marked(body, mark=None)).return_values == [body]
    assert run(bucket.payloads(marked=False), marked(body, mark=None)).return_values == ["text"]


def test_a_mark_without_a_pointer_is_a_message_like_any_other(bucket: Bucket) -> None:
    bodies = [
        "text",
        "[]",
        "[1, 2]",
        "[",
        json.dumps([NEW, {"s3BucketName": bucket.name}]),
        json.dumps([NEW, {"s3BucketName": bucket.name, "s3Key": 5}]),
        json.dumps([NEW, "x"]),
        json.dumps([NEW, {"s3BucketName": bucket.name, "s3Key": "x"}, "more"]),
        json.dumps(["another.class", {"s3BucketName": bucket.name, "s3Key": "x"}]),
    ]
    assert run(bucket.payloads(), marked(*bodies)).return_values == bodies


def test_a_pointer_inside_of_a_notification_is_marked_there(bucket: Bucket) -> None:
    def notification(body: str, **attributes: Any) -> str:
        return json.dumps({"TopicArn": "t", "Message": body, "MessageAttributes": attributes})

    body, size = bucket.put("published"), {"Type": "Number", "Value": "9"}
    event = make_event("sqs", notification(body, ExtendedPayloadSize=size), notification(body))
    assert run(bucket.payloads(), event, SNS).return_values == ["published", body]


def test_the_handler_can_see_the_pointer(bucket: Bucket) -> None:
    body = bucket.put("text")
    processor = BatchProcessor("sqs", plugins=[envelopes.open(bucket.payloads())])

    def handler(record: SQSRecord) -> Any:
        seen = inside(record, S3Pointer)
        return record.body, seen.bucket, seen.key

    assert processor.run(marked(body), handler).return_values == [("text", bucket.name, json.loads(body)[1]["s3Key"])]


def test_a_record_that_is_not_attempted_is_not_fetched(bucket: Bucket) -> None:
    asked: list[str] = []

    class Client:
        def get_object(self, **arguments: Any) -> Any:
            asked.append(arguments["Key"])
            return bucket.s3.get_object(**arguments)

    event = marked(bucket.put("bad"), bucket.put("never"))
    result = run(S3Payloads([bucket.name], client=Client()), event, ordering=in_order())
    assert result.counts() == {"failed": 1, "not_attempted": 1}
    assert asked == [json.loads(event["Records"][0]["body"])[1]["s3Key"]]


def test_one_client_is_made_for_all_threads(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    from batchcore_envelopes import payloads

    make = payloads._new_client
    monkeypatch.setattr(payloads, "_new_client", lambda: made.append(threading.current_thread()) or make())
    result = run(S3Payloads([bucket.name]), marked(*(bucket.put(str(at)) for at in range(12))), max_concurrency=6)
    assert result.return_values == [str(at) for at in range(12)]
    assert len(made) == 1


def test_more_threads_than_botocore_keeps_connections_for_share_one_client(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    together = threading.Barrier(32, timeout=20)

    class Waits(envelopes.Envelope):
        def open(self, content: Any, field: str, around: Any) -> Any:
            together.wait()  # then all of them ask for a payload at once
            return content, None

    event = marked(*(bucket.put("x" * 200_000) for _ in range(32)))
    result = run(S3Payloads([bucket.name]), event, Waits(), max_concurrency=32)
    assert result.counts() == {"succeeded": 32}
    assert "Connection pool is full" not in caplog.text


def test_what_goes_wrong_on_the_way_is_an_error_of_the_record(bucket: Bucket) -> None:
    class Broken:
        def get_object(self, **arguments: Any) -> Any:
            raise ConnectionError("the network is down")

    result = run(S3Payloads([bucket.name], client=Broken()), marked(bucket.put("x"), "small"))
    assert result.return_values == ["small"]
    (failure,) = result.failures
    assert isinstance(failure.exception, PayloadError)
    assert failure.exception.code == "ConnectionError"
    assert isinstance(failure.exception.__cause__, ConnectionError)


def test_a_dead_letter_has_the_pointer_and_not_the_payload(bucket: Bucket) -> None:
    sent: list[Message] = []

    class Letters:
        @hookimpl
        def deliver_dead_letter(self, outcome: Any, batch: Any) -> None:
            sent.append(batch.original_message(outcome.record))

    from batchcore import Disposition

    body = bucket.put("bad")
    plugins = [envelopes.open(bucket.payloads(delete=True)), Letters()]
    processor = BatchProcessor("sqs", plugins=plugins, dispositions={ValueError: Disposition.DEAD_LETTER})
    assert processor.run(marked(body), handle).counts() == {"dead_lettered": 1}
    assert [(each.body, list(each.attributes)) for each in sent] == [(body, ["ExtendedPayloadSize"])]
    assert bucket.texts() == ["bad"], "whoever reads the dead letter needs it"


# Deleting.


@every_way
def test_payloads_of_records_that_succeeded_are_deleted_and_no_others(way: Any, bucket: Bucket) -> None:
    event = marked(*map(bucket.put, ["1", "bad", "drop", "4", "5"]), "small")
    result = way(bucket.payloads(delete=True), event)
    assert [each.status for each in result.outcomes] == [
        "succeeded", "failed", "dropped", "succeeded", "succeeded", "succeeded"
    ]  # fmt: skip
    assert bucket.texts() == ["bad", "drop"]


def test_a_payload_that_another_record_of_the_batch_still_needs_is_kept(bucket: Bucket) -> None:
    seen: list[str] = []

    def once(record: SQSRecord) -> None:
        seen.append(record.body)
        if len(seen) == 2:
            raise ValueError

    body = bucket.put("shared")
    processor = BatchProcessor("sqs", plugins=[envelopes.open(bucket.payloads(delete=True))])
    assert processor.run(marked(body, body), once).counts() == {"succeeded": 1, "failed": 1}
    assert bucket.texts() == ["shared"]


def test_a_payload_of_a_record_that_succeeded_and_comes_again_is_kept(bucket: Bucket) -> None:
    event = make_event("kinesis", bucket.put("1"), bucket.put("bad"), bucket.put("3"))

    def handler(record: Any) -> str:
        text: str = record.kinesis.data_as_text()
        if text == "bad":
            raise ValueError
        return text

    plugin = envelopes.open(bucket.payloads(delete=True, marked=False))
    result = BatchProcessor("kinesis", plugins=[plugin]).run(event, handler)
    assert result.return_values == ["1", "3"]
    assert bucket.texts() == ["3", "bad"], "everything from the failure on is delivered again"


def test_a_payload_is_there_until_the_last_record_has_run(bucket: Bucket) -> None:
    there: list[int] = []
    processor = BatchProcessor("sqs", plugins=[envelopes.open(bucket.payloads(delete=True))])
    processor.run(marked(*map(bucket.put, "abc")), lambda record: there.append(len(bucket.texts())))
    assert there == [3, 3, 3]
    assert bucket.texts() == []


def test_nothing_is_deleted_where_a_batch_hook_takes_the_success_back(bucket: Bucket) -> None:
    class Writes:
        @hookimpl
        def after_records(self, batch: Any, outcomes: Any, fail: Any) -> None:
            fail(outcomes[0], OSError("not written"))

    plugins = [envelopes.open(bucket.payloads(delete=True)), Writes()]
    BatchProcessor("sqs", plugins=plugins).run(marked(bucket.put("1"), bucket.put("2")), handle)
    assert bucket.texts() == ["1"]


def test_more_than_a_request_takes_are_deleted_in_several(bucket: Bucket) -> None:
    class Client:
        def __init__(self) -> None:
            self.deleted: list[int] = []

        def get_object(self, **arguments: Any) -> Any:
            return bucket.s3.get_object(**arguments)

        def delete_objects(self, **arguments: Any) -> Any:
            self.deleted.append(len(arguments["Delete"]["Objects"]))
            return {"Errors": [{"Key": "k", "Code": "SlowDown"}] if len(self.deleted) == 2 else []}

    from batchcore_envelopes.payloads import _delete

    client, codes = Client(), dict[str, int]()
    for start in (0, 1000, 2000):
        _delete(client, bucket.name, [str(start)], codes)
    assert codes == {"SlowDown": 1}
    assert client.deleted == [1, 1, 1]


def test_what_cannot_be_deleted_is_logged_and_changes_no_response(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    class Client:
        def get_object(self, **arguments: Any) -> Any:
            return bucket.s3.get_object(**arguments)

        def delete_objects(self, **arguments: Any) -> Any:
            raise PermissionError("no")

    with caplog.at_level(logging.ERROR):
        result = run(S3Payloads([bucket.name], delete=True, client=Client()), marked(bucket.put("1"), bucket.put("2")))
    assert result.response == {"batchItemFailures": []}
    assert PayloadsNotDeletedError.__name__ in caplog.text
    assert "could not be deleted from S3: PermissionError (2). They stay there." in caplog.text
    assert bucket.texts() == ["1", "2"]


def test_inside_of_a_notification_they_are_deleted_too(bucket: Bucket) -> None:
    size = {"ExtendedPayloadSize": {"Type": "Number", "Value": "9"}}
    bodies = [
        json.dumps({"TopicArn": "t", "Message": bucket.put(text), "MessageAttributes": size}) for text in ("1", "bad")
    ]
    event = make_event("sqs", *bodies, "no notification")
    assert run(bucket.payloads(delete=True), event, SNS).counts() == {"succeeded": 1, "failed": 2}
    assert bucket.texts() == ["bad"]


# Wrong use.


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: S3Payloads([]), "one at least"),
        (lambda: S3Payloads("inbox"), "one at least, not 'inbox'"),
        (lambda: S3Payloads([5]), "one at least"),  # type: ignore[list-item]  # what the test is about
        (lambda: S3Payloads(["inbox"], largest=0), "largest is a number of bytes"),
        (lambda: S3Payloads(["inbox"], client=5), "client is a client of S3"),
        (lambda: envelopes.open(S3Payloads(["a"]), S3Payloads(["b"])), "Name S3Payloads once"),
    ],
)
def test_wrong_use_is_refused_when_it_is_made(make: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        make()


def test_without_boto3_it_is_refused_when_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="pip install boto3"):
        S3Payloads(["inbox"])
