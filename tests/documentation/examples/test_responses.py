"""What the examples answer to the events of the reference page, and what their users see of it; with either imports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Load = Callable[[str], Any]
Event = Callable[[str], Any]

SECOND_ORDER = "244fc6b4-87a3-44ab-83d2-361172410c3a"
SUCCEED = {"batchItemFailures": []}


def failing(*identifiers: str) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


def orders(event: Event, *bodies: str, groups: str = "") -> dict[str, Any]:
    """Make an event of messages m0, m1, ...; with groups, one letter each, of a FIFO queue."""
    sample = event("getting_started_sqs_event")["Records"][0]
    records = [{**sample, "messageId": f"m{position}", "body": body} for position, body in enumerate(bodies)]
    for record, group in zip(records, groups, strict=False):
        record["eventSourceARN"] = "arn:aws:sqs:us-east-2:123456789012:orders.fifo"
        record["attributes"] = {**sample["attributes"], "MessageGroupId": group}
    return {"Records": records}


@pytest.mark.parametrize(
    "program",
    [
        "getting_started/sqs.py",
        "getting_started/sqs_context_manager.py",
        "getting_started/sqs_decorator.py",
        "getting_started/error_handling.py",
        "getting_started/whole_batch_failure.py",
        "extending/success_and_failure_handlers.py",
        "lambda_context/one_call.py",
        "lambda_context/decorator.py",
        "lambda_context/context_manager.py",
        "processed_messages/entries.py",
        "tracing/no_response_capture.py",
        "testing/app.py",
    ],
)
def test_message_that_is_no_json_is_reported_as_on_the_page(either: Load, event: Event, program: str) -> None:
    response = either(program)(event("getting_started_sqs_event"))
    assert response == event("getting_started_sqs_response") == failing(SECOND_ORDER)


@pytest.mark.parametrize("way", ["", "_context_manager", "_decorator"])
def test_kinesis_record_that_is_no_json_is_reported_as_on_the_page(either: Load, event: Event, way: str) -> None:
    response = either(f"getting_started/kinesis{way}.py")(event("getting_started_kinesis_event"))
    assert response == event("getting_started_kinesis_response")


@pytest.mark.parametrize("way", ["", "_context_manager", "_decorator"])
def test_dynamodb_change_that_is_no_json_is_reported(either: Load, event: Event, way: str) -> None:
    """The page's sample response names the second change of its sample event; the one that is no JSON is the first.

    Powertools, too, answers with the first. The sample response is right once the messages are the other way round.
    """
    batch = event("getting_started_dynamodb_event")
    first, second = batch["Records"]
    program = either(f"getting_started/dynamodb{way}.py")
    assert program(batch) == failing(first["dynamodb"]["SequenceNumber"])

    first["dynamodb"]["NewImage"], second["dynamodb"]["NewImage"] = (
        second["dynamodb"]["NewImage"],
        first["dynamodb"]["NewImage"],
    )
    assert program(batch) == event("getting_started_dynamodb_response")


@pytest.mark.parametrize("way", ["", "_context_manager", "_decorator"])
def test_fifo_batch_stops_at_the_first_failure(either: Load, event: Event, way: str) -> None:
    batch = orders(event, "{}", "no JSON", "{}", "{}", groups="abba")
    program = either(f"getting_started/sqs_fifo{way}.py")
    assert program(batch) == failing("m1", "m2", "m3")
    assert program.processor.success_messages == batch["Records"][:1]


def test_fifo_batch_with_skip_group_on_error_stops_the_failed_group_alone(either: Load, event: Event) -> None:
    batch = orders(event, "{}", "no JSON", "{}", "{}", groups="abba")
    program = either("getting_started/sqs_fifo_skip_group_on_error.py")
    assert program(batch) == failing("m1", "m2")
    assert program.processor.success_messages == [batch["Records"][0], batch["Records"][3]]


def test_own_exception_fails_its_message(either: Load, event: Event) -> None:
    program = either("getting_started/error_handling.py")
    assert program(orders(event, '{"Message": 1}', "", '{"item": 1}')) == failing("m1", "m2")
    assert [kind for kind, _, _ in program.processor.exceptions] == [program.module.InvalidOrder] * 2


def test_batch_that_failed_whole_raises_unless_told_not_to(either: Load, event: Event) -> None:
    batch = orders(event, "no JSON", "nor this")
    with pytest.raises(Exception, match="All records failed processing") as raised:
        either("getting_started/sqs.py")(batch)
    assert type(raised.value).__name__ == "BatchProcessingError"
    assert either("getting_started/whole_batch_failure.py")(batch) == failing("m0", "m1")


@pytest.mark.parametrize(
    ("program", "sample", "response"),
    [
        ("typed_records/sqs.py", "pydantic_sqs_event", SUCCEED),
        ("typed_records/kinesis.py", "pydantic_kinesis_event", SUCCEED),
        ("typed_records/dynamodb.py", "pydantic_dynamodb_event", failing("8640712661")),
    ],
)
def test_record_that_fits_no_model_is_reported(
    either: Load, event: Event, program: str, sample: str, response: dict[str, Any]
) -> None:
    loaded = either(program)
    assert loaded(event(sample)) == response
    assert [kind.__name__ for kind, _, _ in loaded.processor.exceptions] == ["ValidationError"] * len(
        response["batchItemFailures"]
    )


def test_entry_holds_the_returned_value_or_the_exception_as_text(either: Load, event: Event) -> None:
    entries = either("processed_messages/entries.py").run(event("getting_started_sqs_event")).entries
    succeeded, failed = event("getting_started_sqs_event")["Records"]
    assert entries == [
        ("success", {"Message": "success"}, succeeded),
        (
            "fail",
            "<class 'json.decoder.JSONDecodeError'>:Expecting value: line 1 column 1 (char 0)",
            ("SQSRecord", failed),
        ),
    ]


def test_entry_of_a_failed_record_is_a_model_if_it_came_to_that_and_else_a_view(either: Load, event: Event) -> None:
    batch = orders(event, '{"item": {"laptop": "amd"}}', '{"item": {"keyboard": "classic"}}', '{"Message": "no order"}')
    good, sold_out, invalid = either("processed_messages/entries_of_models.py").run(batch).entries
    assert good == ("success", ["laptop"], batch["Records"][0])
    status, cause, (kind, fields) = sold_out
    assert (status, kind, fields["messageId"]) == ("fail", "OrderSqsRecord", "m1")
    assert cause == "<class 'entries_of_models_example.SoldOut'>:No keyboards left."
    assert (invalid[0], invalid[2]) == ("fail", ("SQSRecord", batch["Records"][2]))
    assert "validation error for OrderSqsRecord" in invalid[1]


@pytest.mark.parametrize("program", ["processed_messages/entries.py", "processed_messages/entries_of_models.py"])
def test_program_logs_what_became_of_each_message(
    either: Load, event: Event, program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    either(program)(orders(event, '{"item": {"laptop": "amd"}}', '{"item": {"keyboard": "classic"}}', "no JSON"))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [line["message_id"] for line in lines if "message_id" in line] == ["m0", "m1", "m2"]


@pytest.mark.parametrize("way", ["one_call", "decorator", "context_manager"])
def test_handler_with_the_parameter_is_given_the_lambda_context(
    either: Load, event: Event, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    either(f"lambda_context/{way}.py")(event("getting_started_sqs_event"))
    assert '"milliseconds_left":4321' in capsys.readouterr().out


def test_overridden_handlers_count_each_record_once(
    either: Load, event: Event, capsys: pytest.CaptureFixture[str]
) -> None:
    program = either("extending/success_and_failure_handlers.py")
    program(orders(event, "{}", "no JSON", "{}"))
    (metrics,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert (metrics["OrdersMet"], metrics["OrdersFailed"]) == ([1.0, 1.0], [1.0])


@pytest.mark.parametrize(
    "program",
    ["getting_started/sqs_decorator.py", "getting_started/kinesis_decorator.py", "lambda_context/decorator.py"],
)
def test_legacy_decorator_says_what_to_use_instead(load: Callable[..., Any], program: str) -> None:
    with pytest.warns(DeprecationWarning, match="process_partial_response") as warned:
        load(program, warned=True)
    assert [Path(warning.filename).name for warning in warned] == [Path(program).name]
