"""Each example behaves as the same program does with Powertools' imports: same response, same entries, same lists.

Both programs are the same text but for the import lines. A batch on which batchcore differs on purpose is not left out:
it is in ``test_differences.py``.
"""

from __future__ import annotations

import ast
import base64
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EVENTS = Path(__file__).parents[2] / "events"
EXAMPLES = Path(__file__).parents[3] / "examples"

Records = list[dict[str, Any]]


def page(name: str) -> Records:
    records: Records = json.loads((EVENTS / f"{name}.json").read_text())["Records"]
    return records


def sqs(*bodies: str, groups: str = "") -> Records:
    """Make messages; with groups, one letter each, of a FIFO queue."""
    records = []
    for position, body in enumerate(bodies):
        record = copy.deepcopy(page("getting_started_sqs_event")[0])
        record |= {"messageId": f"message-{position}", "body": body}
        if groups:
            record["eventSourceARN"] += ".fifo"
            record["attributes"] |= {"MessageGroupId": groups[position], "SequenceNumber": str(10**19 + position)}
        records.append(record)
    return records


def kinesis(*data: str) -> Records:
    records = []
    for position, text in enumerate(data):
        record = copy.deepcopy(page("getting_started_kinesis_event")[0])
        record["kinesis"] |= {
            "sequenceNumber": str(10**55 + position),
            "data": base64.b64encode(text.encode()).decode(),
        }
        records.append(record)
    return records


def dynamodb(*images: dict[str, Any] | None) -> Records:
    records = []
    for position, image in enumerate(images):
        record = copy.deepcopy(page("getting_started_dynamodb_event")[0])
        record["dynamodb"]["SequenceNumber"] = str(10**20 + position)
        del record["dynamodb"]["NewImage"]
        if image is None:
            record["eventName"] = "REMOVE"
            record["dynamodb"]["OldImage"] = {"Message": {"S": "{}"}}
        else:
            record["dynamodb"]["NewImage"] = image
        records.append(record)
    return records


GOOD, BAD, OTHER = '{"Message": "success"}', "no JSON", '{"item": {"laptop": "amd"}}'
KEYBOARD = '{"item": {"keyboard": "classic"}}'

SQS = {
    "page": page("getting_started_sqs_event"),
    "all succeed": sqs(GOOD, GOOD, GOOD),
    "all fail": sqs(BAD, ""),
    "first fails": sqs(BAD, GOOD, OTHER),
    "JSON that is no object": sqs("[]", "null", '"text"', GOOD),
}
FIFO = {
    "nothing fails": sqs(GOOD, GOOD, groups="ab"),
    "first fails": sqs(BAD, GOOD, GOOD, groups="aba"),
    "middle fails": sqs(GOOD, BAD, GOOD, GOOD, BAD, GOOD, groups="aababb"),
    "last fails": sqs(GOOD, BAD, groups="ab"),
    "one of each group fails": sqs(BAD, BAD, GOOD, GOOD, groups="abcc"),
}
KINESIS = {
    "page": page("getting_started_kinesis_event"),
    "all succeed": kinesis(GOOD, GOOD),
    "all fail": kinesis(BAD, ""),
    "two fail": kinesis(GOOD, BAD, GOOD, BAD),
}
DYNAMODB = {
    "page": page("getting_started_dynamodb_event"),
    "all succeed": dynamodb({"Message": {"S": GOOD}}, None, {"Other": {"N": "1"}}, {}),
    "all fail": dynamodb({"Message": {"S": BAD}}, {"Message": {"N": "7.5"}}),
    "two fail": dynamodb({"Message": {"S": GOOD}}, {"Message": {"S": BAD}}, None, {"Message": {"BOOL": True}}),
}
TYPED_SQS = {
    "page": page("pydantic_sqs_event"),
    "first is no order": sqs(GOOD, OTHER, KEYBOARD),
    "none is an order": sqs(GOOD, BAD),
    "no receipt handle": [*sqs(OTHER), {k: v for k, v in sqs(OTHER, OTHER)[1].items() if k != "receiptHandle"}],
}
TYPED_KINESIS = {
    "page": page("pydantic_kinesis_event"),
    "second is no order": kinesis(OTHER, GOOD, KEYBOARD),
    "none is an order": kinesis(GOOD, BAD),
}
TYPED_DYNAMODB = {
    "page": page("pydantic_dynamodb_event"),
    "images of all kinds": dynamodb({"Message": {"S": OTHER}}, {"Message": {"S": BAD}}, {"Message": {"N": "1"}}, {}),
    "the image is a map": dynamodb(
        {"Message": {"M": {"item": {"M": {"laptop": {"S": "amd"}}}}}}, {"Message": {"NULL": True}}
    ),
    "none is an order": dynamodb({"Message": {"S": GOOD}}, {}),
}
BATCHES: dict[str, dict[str, Records]] = {
    **dict.fromkeys(["getting_started/sqs.py", "getting_started/sqs_context_manager.py"], SQS),
    **dict.fromkeys(["getting_started/sqs_decorator.py", "getting_started/error_handling.py"], SQS),
    **dict.fromkeys(["getting_started/whole_batch_failure.py", "tracing/no_response_capture.py"], SQS),
    **dict.fromkeys(["lambda_context/one_call.py", "lambda_context/decorator.py"], SQS),
    **dict.fromkeys(["lambda_context/context_manager.py", "processed_messages/entries.py"], SQS),
    **dict.fromkeys(["extending/success_and_failure_handlers.py", "testing/app.py"], SQS),
    **dict.fromkeys(["getting_started/sqs_fifo.py", "getting_started/sqs_fifo_context_manager.py"], FIFO),
    **dict.fromkeys(["getting_started/sqs_fifo_decorator.py"], FIFO),
    **dict.fromkeys(["getting_started/sqs_fifo_skip_group_on_error.py"], FIFO),
    **dict.fromkeys(["getting_started/kinesis.py", "getting_started/kinesis_context_manager.py"], KINESIS),
    **dict.fromkeys(["getting_started/kinesis_decorator.py"], KINESIS),
    **dict.fromkeys(["getting_started/dynamodb.py", "getting_started/dynamodb_context_manager.py"], DYNAMODB),
    **dict.fromkeys(["getting_started/dynamodb_decorator.py"], DYNAMODB),
    **dict.fromkeys(["typed_records/sqs.py", "processed_messages/entries_of_models.py"], TYPED_SQS),
    "typed_records/kinesis.py": TYPED_KINESIS,
    "typed_records/dynamodb.py": TYPED_DYNAMODB,
}
# These need something beside them (a server, a table): each has a test of its own, in both forms too.
OF_OUR_OWN = ("envelopes/", "orders/", "ordering/", "windows/", "write_a_source/")
ELSEWHERE = {
    "concurrency/async_http.py",
    "extending/custom_processor.py",
    "extending/sentry_errors.py",
    "idempotency/record_handler.py",
}
CASES = [
    pytest.param(program, records, id=f"{program}-{batch}")
    for program, batches in BATCHES.items()
    for batch, records in batches.items()
]


@pytest.mark.parametrize(("program", "records"), CASES)
def test_program_does_what_it_does_with_the_other_imports(
    twins: Callable[[str], tuple[Any, Any]], program: str, records: Records
) -> None:
    ours, theirs = twins(program)
    assert ours.run({"Records": copy.deepcopy(records)}) == theirs.run({"Records": copy.deepcopy(records)})


@pytest.mark.parametrize("program", BATCHES)
def test_second_batch_knows_nothing_of_the_first(twins: Callable[[str], tuple[Any, Any]], program: str) -> None:
    ours, theirs = twins(program)
    for records in (*BATCHES[program].values(), *reversed(BATCHES[program].values())):
        assert ours.run({"Records": copy.deepcopy(records)}) == theirs.run({"Records": copy.deepcopy(records)})


def test_every_program_is_compared_with_its_twin() -> None:
    programs = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.glob("*/*.py")}
    programs -= {name for name in programs if name.startswith(OF_OUR_OWN)}
    programs -= {"testing/test_app.py"}
    assert programs == BATCHES.keys() | ELSEWHERE


@pytest.mark.parametrize("program", sorted(BATCHES.keys() | ELSEWHERE))
def test_twin_differs_in_imports_alone_and_has_nothing_of_ours(
    changed_imports: Callable[[str], str], program: str
) -> None:
    source = (EXAMPLES / program).read_text()

    def body(text: str) -> list[str]:
        return [ast.dump(node) for node in ast.parse(text).body if not isinstance(node, ast.ImportFrom)]

    twin = changed_imports(source)
    assert body(source) == body(twin)
    assert "batchcore" in source
    assert "batchcore" not in twin
