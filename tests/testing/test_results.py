"""Answers that carry a result for every record: Firehose and S3 Batch Operations."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore.testing import redelivered
from batchcore.testing.results import read_firehose, read_s3_batch

NAMES = ["r1", "r2", "r3"]
ALL = frozenset({0, 1, 2})


def transformed(*results: str, **fields: Any) -> dict[str, Any]:
    """Make an answer to a transformation."""
    records = [
        {"recordId": name, "result": result, "data": "e30="} for name, result in zip(NAMES, results, strict=True)
    ]
    return {"records": records, **fields}


def test_a_record_is_ok_or_dropped_or_has_failed_and_none_comes_again() -> None:
    read = read_firehose(transformed("Ok", "Dropped", "ProcessingFailed"), NAMES)

    assert read == (frozenset({2}), frozenset(), None)


def test_results_may_stand_in_any_order() -> None:
    answer = transformed("Ok", "ProcessingFailed", "Ok")

    assert read_firehose({"records": answer["records"][::-1]}, NAMES).failed == {1}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "Ok",
        {},
        {"records": None},
        {"batchItemFailures": []},
        {"records": transformed("Ok", "Ok", "Ok")["records"][:2]},
        {"records": [*transformed("Ok", "Ok", "Ok")["records"], {"recordId": "r4", "result": "Ok", "data": ""}]},
        {"records": [transformed("Ok", "Ok", "Ok")["records"][0]] * 3},
        transformed("Ok", "Ok", "ok"),
        transformed("Ok", "Ok", "Failed"),
        {"records": [{"recordId": name, "result": "Ok"} for name in NAMES]},
    ],
    ids=[
        "null",
        "text",
        "empty",
        "no list",
        "another",
        "one less",
        "one more",
        "one thrice",
        "case",
        "word",
        "no data",
    ],
)
def test_an_answer_to_a_transformation_that_lacks_something_fails_the_batch(answer: Any) -> None:
    read = read_firehose(answer, NAMES)

    assert read.failed == ALL
    assert read.complaint is not None


def results(**codes: str) -> dict[str, Any]:
    """Make an answer to tasks."""
    return {
        "invocationSchemaVersion": "1.0",
        "treatMissingKeysAs": "PermanentFailure",
        "results": [{"taskId": name, "resultCode": code} for name, code in codes.items()],
    }


def test_a_task_that_failed_for_the_moment_is_tried_again_and_one_that_failed_for_good_is_not() -> None:
    read = read_s3_batch(results(r1="Succeeded", r2="TemporaryFailure", r3="PermanentFailure"), NAMES)

    assert read == (frozenset({1, 2}), frozenset({1}), None)


def test_a_task_that_is_not_there_has_the_result_of_missing_ones() -> None:
    answer = results(r1="Succeeded")

    assert read_s3_batch(answer, NAMES).failed == {1, 2}
    assert read_s3_batch({**answer, "treatMissingKeysAs": "Succeeded"}, NAMES).failed == frozenset()


@pytest.mark.parametrize(
    "answer",
    [None, [], {}, {"results": []}, {**results(), "treatMissingKeysAs": "Ignored"}, results(r1="Ok")],
    ids=["null", "list", "empty", "nothing of missing", "unknown of missing", "unknown code"],
)
def test_an_answer_to_tasks_that_cannot_be_read_fails_the_batch(answer: Any) -> None:
    assert read_s3_batch(answer, NAMES)[:2] == (ALL, ALL)


def test_what_is_delivered_again_follows_from_the_results() -> None:
    tasks = {"invocationSchemaVersion": "1.0", "tasks": [{"taskId": name} for name in NAMES]}
    transformation = {"deliveryStreamArn": "arn", "records": [{"recordId": name} for name in NAMES]}

    assert redelivered(tasks, results(r1="Succeeded", r2="TemporaryFailure")) == [{"taskId": "r2"}]
    assert redelivered(transformation, transformed("Ok", "ProcessingFailed", "Ok")) == []
    assert redelivered(transformation, ValueError()) == transformation["records"]
