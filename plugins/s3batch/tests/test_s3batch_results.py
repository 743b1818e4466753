"""What S3 Batch Operations is answered: a result for each task, in the schema of the event."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    ConfigurationError,
    DeadLetterRecord,
    DropRecord,
    StopBatch,
    hookimpl,
)
from batchcore_s3batch import S3BatchSource, S3BatchTask
from batchcore_s3batch.events import S3BatchEvents
from batchcore_testing import make_event

Sample = Callable[[str], dict[str, Any]]
QUIET = logging.Logger("quiet")  # noqa: LOG001 - in no hierarchy, where pytest would keep what is logged
QUIET.addHandler(logging.NullHandler())


def answered(event: Any, handler: Callable[[Any], Any], source: Any = "s3batch", **options: Any) -> Any:
    processor = BatchProcessor(source, raise_on_entire_batch_failure=False, logger=QUIET, **options)
    return processor.run(event, handler).response


def returning(value: Any) -> Any:
    (result,) = answered(make_event("s3batch", "a"), lambda task: value)["results"]
    return result["resultCode"], result["resultString"]


def raising(error: BaseException, **options: Any) -> Any:
    def handler(task: S3BatchTask) -> None:
        raise error

    (result,) = answered(make_event("s3batch", "a"), handler, **options)["results"]
    return result["resultCode"], result["resultString"]


@pytest.mark.parametrize("name", ["s3BatchOperationEventSchemaV1", "s3BatchOperationEventSchemaV2"])
def test_an_event_is_answered_in_its_own_schema(sample: Sample, name: str) -> None:
    event = sample(name)

    assert answered(event, lambda task: "copied") == {
        "invocationSchemaVersion": event["invocationSchemaVersion"],
        "invocationId": event["invocationId"],
        "treatMissingKeysAs": "TemporaryFailure",
        "results": [{"taskId": event["tasks"][0]["taskId"], "resultCode": "Succeeded", "resultString": "copied"}],
    }


@pytest.mark.parametrize("schema", ["1.0", "2.0"])
def test_tasks_alone_are_answered_in_their_own_schema_and_without_an_invocation(schema: Any) -> None:
    processor = BatchProcessor("s3batch")
    tasks = make_event(S3BatchEvents(schema), "a")["tasks"]
    with processor(records=tasks, handler=lambda task: None):
        processor.process()

    response: Any = processor.response()
    assert response["invocationSchemaVersion"] == schema
    assert "invocationId" not in response


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("copied", "copied"),
        ("", ""),
        (None, ""),
        ({"size": 17}, '{"size": 17}'),
        (0, "0"),
        ("\u00e4", "\u00e4"),
        (object(), ""),
        (float("nan"), ""),
        ("\ud800", "?"),
        ("x" * 1024, "x" * 1024),
        ("x" * 1025, "x" * 1021 + "..."),
        (["x" * 5000], '["' + "x" * 1019 + "..."),
    ],
)
def test_what_a_handler_returns_is_the_text_of_its_task(value: Any, text: str) -> None:
    assert returning(value) == ("Succeeded", text)


def test_what_failed_is_tried_again_and_says_why() -> None:
    assert raising(ConnectionError("no route")) == ("TemporaryFailure", "ConnectionError: no route")
    assert raising(SystemExit(3)) == ("TemporaryFailure", "SystemExit: 3")
    code, text = raising(ValueError("x" * 5000))
    assert (code, len(text) <= 1024) == ("TemporaryFailure", True)
    assert text.startswith("ValueError: xxx")


def test_an_object_that_breaks_when_it_is_written_costs_its_text_alone() -> None:
    class Hostile(dict):  # type: ignore[type-arg]
        def items(self) -> Any:
            raise ZeroDivisionError

    assert returning(Hostile(a=1)) == ("Succeeded", "")


def test_the_input_that_a_model_refused_is_in_no_report() -> None:
    pydantic = pytest.importorskip("pydantic")

    def handler(task: S3BatchTask) -> None:
        pydantic.create_model("Order", id=(int, ...)).model_validate({"id": "secret"})

    (result,) = answered(make_event("s3batch", "a"), handler)["results"]
    assert result["resultString"].startswith("ValidationError: Order: id:")
    assert "secret" not in result["resultString"]


def test_what_is_dropped_or_a_dead_letter_is_not_tried_again() -> None:
    class Deliverer:
        @hookimpl
        def deliver_dead_letter(self, outcome: Any) -> None:
            pass

    assert raising(DropRecord("no order")) == ("PermanentFailure", "DropRecord: no order")
    code, text = raising(DeadLetterRecord("for somebody"), plugins=[Deliverer()])
    assert (code, text) == ("PermanentFailure", "DeadLetterRecord: for somebody")


def test_what_is_not_tried_is_tried_again() -> None:
    def handler(task: S3BatchTask) -> None:
        raise StopBatch("the archive is down")

    results = answered(make_event("s3batch", "a", "b"), handler)["results"]
    assert [result["resultCode"] for result in results] == ["TemporaryFailure"] * 2
    assert results[1]["resultString"].startswith("NotAttemptedError: ")


def test_results_are_in_the_order_of_the_tasks_also_where_two_share_an_id() -> None:
    event = make_event("s3batch", "a", "b", "c", taskId="the same")

    async def handler(task: S3BatchTask) -> str:
        if task.s3_key == "b":
            raise ValueError
        return task.s3_key

    processor = AsyncBatchProcessor("s3batch", logger=QUIET)
    response: Any = processor.run(event, handler).response
    assert [(result["taskId"], result["resultString"]) for result in response["results"]] == [
        ("the same", "a"),
        ("the same", "ValueError"),
        ("the same", "c"),
    ]


@pytest.mark.parametrize("code", ["Succeeded", "TemporaryFailure", "PermanentFailure"])
def test_what_is_missing_is_treated_as_the_source_is_told(code: Any) -> None:
    source = S3BatchSource(treat_missing_keys_as=code)
    response = answered(make_event("s3batch", "a"), lambda task: None, source)

    assert response["treatMissingKeysAs"] == code
    assert len(response["results"]) == 1


@pytest.mark.parametrize("code", ["succeeded", "", None, "Failure"])
def test_anything_else_is_refused(code: Any) -> None:
    with pytest.raises(ConfigurationError, match="Succeeded, TemporaryFailure, PermanentFailure; not"):
        S3BatchSource(treat_missing_keys_as=code)


def test_a_response_is_json() -> None:
    json.dumps(answered(make_event("s3batch", "a", "b"), lambda task: object()))


@pytest.mark.parametrize("raises", [True, False])
def test_a_single_task_that_failed_raises_nothing_whatever_was_said(raises: bool) -> None:
    def handler(task: S3BatchTask) -> None:
        raise ValueError

    processor = BatchProcessor("s3batch", logger=QUIET, raise_on_entire_batch_failure=raises)
    result: Any = processor.run(make_event("s3batch", "a"), handler)

    assert [each["resultCode"] for each in result.response["results"]] == ["TemporaryFailure"]
