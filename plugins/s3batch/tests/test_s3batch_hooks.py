"""What the source for S3 Batch Operations tells batchcore, and the typed view of a task."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import batchcore_s3batch
from batchcore import BatchProcessor, RecordIdentityError, UnexpectedBatchTypeError
from batchcore_s3batch import S3Batch, S3BatchTask
from batchcore_s3batch.events import S3BatchEvents
from batchcore_testing import make_event, make_record

Sample = Callable[[str], dict[str, Any]]
MINE = ["s3BatchOperationEventSchemaV1", "s3BatchOperationEventSchemaV2"]
NOT_MINE = ["kafkaEventMsk", "kinesisFirehosePutEvent", "rabbitMQEvent", "s3SqsEvent", "sqsEvent"]


def task(**fields: Any) -> S3BatchTask:
    return S3BatchTask({"taskId": "t1", "s3Key": "a.json", "s3BucketArn": "arn:aws:s3:::orders", **fields})


def test_the_public_names_are_sorted_and_there() -> None:
    assert batchcore_s3batch.__all__ == sorted(batchcore_s3batch.__all__)
    assert all(hasattr(batchcore_s3batch, name) for name in batchcore_s3batch.__all__)


@pytest.mark.parametrize("name", MINE)
def test_events_of_s3_batch_operations_are_claimed_and_found(sample: Sample, name: str) -> None:
    assert S3Batch.claims_event(sample(name)) is True
    assert BatchProcessor().run(sample(name), lambda task: None).batch.source == "s3batch"


@pytest.mark.parametrize("name", NOT_MINE)
def test_events_of_others_are_not_claimed(sample: Sample, name: str) -> None:
    assert S3Batch.claims_event(sample(name)) is False


@pytest.mark.parametrize(
    "changes",
    [
        {"invocationSchemaVersion": "3.0"},
        {"invocationSchemaVersion": None},
        {"invocationSchemaVersion": 1.0},
        {"tasks": None},
        {"tasks": {}},
        {"tasks": [None]},
        {"tasks": [{"taskId": "t1", "s3Key": "a"}, {"messageId": "m1"}]},
    ],
)
def test_what_is_no_invocation_in_a_known_schema_is_refused(changes: dict[str, Any]) -> None:
    event = {**make_event("s3batch", "a"), **changes}

    assert S3Batch.claims_event(event) is False
    with pytest.raises(UnexpectedBatchTypeError):
        BatchProcessor("s3batch").run(event, lambda task: None)


@pytest.mark.parametrize("identifier", [None, "", 17])
def test_a_task_without_an_id_is_refused_before_the_first_is_handled(identifier: Any) -> None:
    event, called = make_event("s3batch", "a", "b"), []
    event["tasks"][1]["taskId"] = identifier

    with pytest.raises(RecordIdentityError, match="taskId"):
        BatchProcessor("s3batch").run(event, called.append)
    del event["tasks"][1]["taskId"]
    with pytest.raises(RecordIdentityError, match="taskId"):
        BatchProcessor("s3batch").run(event, called.append)
    assert called == []


def test_a_description_has_the_bucket_and_not_the_key() -> None:
    assert S3Batch.describe_record(make_record("s3batch", "secret")) == {"bucket": "orders"}
    assert S3Batch.describe_record(make_record(S3BatchEvents("2.0"), "secret")) == {"bucket": "orders"}
    assert S3Batch.describe_record({"taskId": "t1", "s3BucketArn": 17}) == {}


# The view.


def test_it_has_every_field_of_schema_1(sample: Sample) -> None:
    raw = sample("s3BatchOperationEventSchemaV1")["tasks"][0]
    seen = S3BatchTask(raw)

    assert seen == raw
    assert seen.task_id == "dGFza2lkZ29lc2hlcmUK"
    assert seen.s3_key == "prefix/dataset/dataset.20231222.json.gz"
    assert seen.s3_version_id == "1"
    assert seen.s3_bucket == "powertools-dataset"
    assert seen.s3_bucket_arn == "arn:aws:s3:::powertools-dataset"
    assert seen.user_arguments == {}


def test_it_has_every_field_of_schema_2_and_the_arguments_of_its_job(sample: Sample) -> None:
    seen: list[S3BatchTask] = []
    BatchProcessor("s3batch").run(sample("s3BatchOperationEventSchemaV2"), seen.append)
    (only,) = seen

    assert only.s3_version_id is None
    assert only.s3_bucket == "powertools-dataset"
    assert only.s3_bucket_arn is None
    assert only.user_arguments == {"k1": "v1", "k2": "v2"}


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("a.json", "a.json"),
        ("a+b%2Bc.json", "a b+c.json"),
        ("gr%C3%BC%C3%9Fe/%E2%82%AC", "gr\u00fc\u00dfe/\u20ac"),
        ("50%25", "50%"),
        ("%7B%22a%22%3A+1%7D", '{"a": 1}'),
        ("gr\u00fc", "gr\u00fc"),
    ],
)
def test_a_key_is_decoded(encoded: str, key: str) -> None:
    assert task(s3Key=encoded).s3_key == key


@pytest.mark.parametrize("key", ["secret%FF", "\ud800", None, 17])
def test_a_key_that_cannot_be_decoded_is_an_error_and_never_another_key(key: Any) -> None:
    with pytest.raises(ValueError, match="s3Key") as caught:
        _ = task(s3Key=key).s3_key
    assert "secret" not in str(caught.value)


def test_a_task_without_a_key_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyError, match="s3Key"):
        _ = S3BatchTask({"taskId": "t1"}).s3_key


@pytest.mark.parametrize(
    ("arn", "bucket"),
    [
        ("arn:aws:s3:::orders", "orders"),
        ("arn:aws-cn:s3:::orders", "orders"),
        (
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/orders",
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/orders",
        ),
    ],
)
def test_a_bucket_is_what_a_call_takes(arn: str, bucket: str) -> None:
    assert task(s3BucketArn=arn).s3_bucket == bucket


def test_a_task_without_a_bucket_is_an_error_that_says_so() -> None:
    with pytest.raises(ValueError, match="s3Bucket or s3BucketArn"):
        _ = S3BatchTask({"taskId": "t1", "s3Key": "a"}).s3_bucket


@pytest.mark.parametrize(
    "job", [None, {}, {"userArguments": None}, {"userArguments": []}, {"userArguments": ["a"]}, 17]
)
def test_a_job_without_arguments_has_none(job: Any) -> None:
    seen: list[S3BatchTask] = []
    BatchProcessor("s3batch").run({**make_event(S3BatchEvents("2.0"), "a"), "job": job}, seen.append)

    assert seen[0].user_arguments == {}


def test_a_handler_of_a_model_takes_the_arguments_by_name() -> None:
    pytest.importorskip("pydantic")
    from batchcore_s3batch.models import S3BatchTaskModel

    def handler(record: S3BatchTaskModel, user_arguments: Mapping[str, str]) -> Any:
        return record.s3Key, user_arguments["target"]

    event = make_event(S3BatchEvents("2.0", {"target": "archive"}), "a b.json")
    result = BatchProcessor("s3batch", model=S3BatchTaskModel).run(event, handler)
    assert result.return_values == [("a b.json", "archive")]


def test_a_task_keeps_its_arguments_when_it_is_copied_and_pickled() -> None:
    kept = S3BatchTask({"taskId": "t1"}, {"a": "b"})

    for other in (pickle.loads(pickle.dumps(kept)), copy.deepcopy(kept), copy.copy(kept)):
        assert (other, other.user_arguments) == (kept, {"a": "b"})
