"""Responses that carry a result for every record: Firehose and S3 Batch Operations."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore_testing import redelivered
from batchcore_testing.responses import read_response
from batchcore_testing.results import read_firehose, read_s3_batch
from batchcore_testing.services import service_of_event

NAMES = ["r1", "r2", "r3"]
ALL = frozenset({0, 1, 2})


def transformed(*results: str, **fields: Any) -> dict[str, Any]:
    """Make a response to a transformation."""
    records = [
        {"recordId": name, "result": result, "data": "e30="} for name, result in zip(NAMES, results, strict=True)
    ]
    return {"records": records, **fields}


def test_a_record_is_ok_or_dropped_or_has_failed_and_none_comes_again() -> None:
    read = read_firehose(transformed("Ok", "Dropped", "ProcessingFailed"), NAMES)

    assert read == (frozenset({2}), frozenset(), None)


def test_results_may_stand_in_any_order() -> None:
    response = transformed("Ok", "ProcessingFailed", "Ok")

    assert read_firehose({"records": response["records"][::-1]}, NAMES).failed == {1}


@pytest.mark.parametrize(
    "response",
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
def test_a_response_to_a_transformation_that_lacks_something_fails_the_batch(response: Any) -> None:
    read = read_firehose(response, NAMES)

    assert read.failed == ALL
    assert read.complaint is not None


# What Firehose reads from Amazon MSK, and what a test makes up.


def of_msk(*results: str) -> dict[str, Any]:
    """Make a response to a transformation of records that are from Amazon MSK."""
    records = [
        {"recordId": name, "result": result, "kafkaRecordValue": "e30="}
        for name, result in zip(NAMES, results, strict=True)
    ]
    return {"records": records}


def event_of_msk(**fields: Any) -> dict[str, Any]:
    records = [{"recordId": name, "kafkaRecordValue": "e30="} for name in NAMES]
    return {"invocationId": "i", "sourceMSKArn": "arn", "deliveryStreamArn": "arn", "records": records, **fields}


def read_by_lambda(event: Any, response: Any) -> tuple[set[int], str | None]:
    """Read a response as whoever asks for the service of an event does."""
    service = service_of_event(event)
    assert service is not None
    read = read_response(response, [service.identifier(record) for record in service.records(event)], service)
    return set(read.named), read.complaint


def test_a_result_of_a_record_from_msk_has_its_content_where_the_record_has_it() -> None:
    assert read_by_lambda(event_of_msk(), of_msk("Ok", "Dropped", "ProcessingFailed")) == ({2}, None)
    assert redelivered(event_of_msk(), of_msk("Ok", "Ok", "Ok")) == []


def test_a_result_of_a_record_from_msk_with_its_content_elsewhere_fails_the_batch() -> None:
    failed, complaint = read_by_lambda(event_of_msk(), transformed("Ok", "Ok", "Ok"))

    assert failed == ALL
    assert complaint == "'r1' is Ok and has no kafkaRecordValue"


def test_a_result_of_another_record_has_its_content_in_data() -> None:
    event = {"invocationId": "i", "deliveryStreamArn": "arn", "records": [{"recordId": name} for name in NAMES]}

    assert read_by_lambda(event, of_msk("Ok", "Ok", "Ok"))[1] == "'r1' is Ok and has no data"
    assert read_by_lambda(event, transformed("Ok", "Ok", "Ok")) == (set(), None)


@pytest.mark.parametrize("without", [["sourceMSKArn"], ["deliveryStreamArn"], ["sourceMSKArn", "deliveryStreamArn"]])
def test_an_event_from_msk_is_known_by_its_records(without: list[str]) -> None:
    event = {name: value for name, value in event_of_msk().items() if name not in without}

    assert read_by_lambda(event, of_msk("Ok", "Ok", "Ok")) == (set(), None)


@pytest.mark.parametrize("arn", [{}, {"deliverySteamArn": "arn"}, {"sourceKinesisStreamArn": "arn"}])
@pytest.mark.parametrize("records", [NAMES, []], ids=["records", "none"])
def test_a_transformation_is_known_without_the_arn_of_its_stream(arn: dict[str, str], records: list[str]) -> None:
    event = {"invocationId": "i", "region": "eu-west-1", **arn, "records": [{"recordId": name} for name in records]}
    service = service_of_event(event)

    assert service is not None
    assert service.name == "firehose"


@pytest.mark.parametrize(
    "event",
    [
        {"records": [{"recordId": "r1"}]},
        {"invocationId": "i", "records": {"orders-0": []}},
        {"invocationId": "i", "records": None},
        {"invocationId": "i"},
    ],
    ids=["no invocation", "by partition", "null", "no records"],
)
def test_what_is_no_transformation_is_not_taken_for_one(event: Any) -> None:
    assert service_of_event(event) is None


def test_tasks_are_no_transformation() -> None:
    service = service_of_event({"invocationSchemaVersion": "1.0", "invocationId": "i", "tasks": []})

    assert service is not None
    assert service.name == "s3-batch"


def test_a_record_id_that_is_there_twice_has_two_results() -> None:
    names = ["r1", "r2", "r1"]
    records = [
        {"recordId": name, "result": result, "data": ""}
        for name, result in zip(names, ("Ok", "Ok", "ProcessingFailed"), strict=True)
    ]

    assert read_firehose({"records": records}, names).failed == {2}
    assert read_firehose({"records": records[:2]}, names).failed == ALL


def results(**codes: str) -> dict[str, Any]:
    """Make a response to tasks."""
    return {
        "invocationSchemaVersion": "1.0",
        "treatMissingKeysAs": "PermanentFailure",
        "results": [{"taskId": name, "resultCode": code} for name, code in codes.items()],
    }


def test_a_task_that_failed_for_the_moment_is_tried_again_and_one_that_failed_for_good_is_not() -> None:
    read = read_s3_batch(results(r1="Succeeded", r2="TemporaryFailure", r3="PermanentFailure"), NAMES)

    assert read == (frozenset({1, 2}), frozenset({1}), None)


def test_a_task_that_is_not_there_has_the_result_of_missing_ones() -> None:
    response = results(r1="Succeeded")

    assert read_s3_batch(response, NAMES).failed == {1, 2}
    assert read_s3_batch({**response, "treatMissingKeysAs": "Succeeded"}, NAMES).failed == frozenset()


@pytest.mark.parametrize(
    "response",
    [None, [], {}, {"results": []}, {**results(), "treatMissingKeysAs": "Ignored"}, results(r1="Ok")],
    ids=["null", "list", "empty", "nothing of missing", "unknown of missing", "unknown code"],
)
def test_a_response_to_tasks_that_cannot_be_read_fails_the_batch(response: Any) -> None:
    assert read_s3_batch(response, NAMES)[:2] == (ALL, ALL)


def test_what_is_delivered_again_follows_from_the_results() -> None:
    tasks = {"invocationSchemaVersion": "1.0", "tasks": [{"taskId": name} for name in NAMES]}
    transformation = {"deliveryStreamArn": "arn", "records": [{"recordId": name} for name in NAMES]}

    assert redelivered(tasks, results(r1="Succeeded", r2="TemporaryFailure")) == [{"taskId": "r2"}]
    assert redelivered(transformation, transformed("Ok", "ProcessingFailed", "Ok")) == []
    assert redelivered(transformation, ValueError()) == transformation["records"]
