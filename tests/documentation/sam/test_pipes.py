"""The SAM template with a pipe deploys what it claims: the controls below are found wrong."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import pytest

from .test_templates import (
    OWN_LOGS_AND_TRACES,
    READ,
    arn,
    complaints,
    function,
    function_times_out_after_5_seconds,
    grants,
    offline,
    path_of,
    properties,
    queues_are_encrypted,
    resource,
    source,
    stream_is_encrypted_by_kms,
    translated,
)

__all__ = ["offline"]  # the fixture, for every test here too

Template = dict[str, Any]
pipe = resource("OrdersPipe")


def stream_parameters(template: Template) -> dict[str, Any]:
    parameters: dict[str, Any] = pipe(template)["SourceParameters"]["KinesisStreamParameters"]
    return parameters


def target_parameters(template: Template) -> dict[str, Any]:
    parameters: dict[str, Any] = pipe(template)["TargetParameters"]["LambdaFunctionParameters"]
    return parameters


def the_pipe_reads_the_response(template: Template) -> bool:
    return bool(target_parameters(template).get("InvocationType") == "REQUEST_RESPONSE")


def the_pipe_retries_twice(template: Template) -> bool:
    return bool(stream_parameters(template).get("MaximumRetryAttempts") == 2)


def the_batch_size_is_100(template: Template) -> bool:
    return bool(stream_parameters(template).get("BatchSize") == 100)


def discarded_go_to_the_dead_letter_queue(template: Template) -> bool:
    return bool(stream_parameters(template).get("DeadLetterConfig") == {"Arn": arn("OrdersDeadLetterQueue")})


def the_pipe_stands_between_stream_and_function(template: Template) -> bool:
    ends = pipe(template).get("Source"), pipe(template).get("Target")
    return bool(ends == (arn("OrdersStream"), arn("OrdersFunction")))


def no_mapping_reads_the_stream_too(template: Template) -> bool:
    return not properties(template, "AWS::Lambda::EventSourceMapping")


EVENTS = {"Events": {"Orders": {"Type": "Kinesis", "Properties": {"Stream": "arn", "StartingPosition": "LATEST"}}}}
RULES: list[tuple[Callable[[Template], bool], Callable[[Template], dict[str, Any]], dict[str, Any]]] = [
    (the_pipe_reads_the_response, target_parameters, {"InvocationType": "FIRE_AND_FORGET"}),
    (the_pipe_retries_twice, stream_parameters, {"MaximumRetryAttempts": -1}),
    (the_batch_size_is_100, stream_parameters, {"BatchSize": 10}),
    (discarded_go_to_the_dead_letter_queue, stream_parameters, {"DeadLetterConfig": {}}),
    (the_pipe_stands_between_stream_and_function, pipe, {"Target": arn("OrdersStream")}),
    (no_mapping_reads_the_stream_too, function, EVENTS),
    (function_times_out_after_5_seconds, function, {"Timeout": 6}),
    (queues_are_encrypted, resource("OrdersDeadLetterQueue"), {"SqsManagedSseEnabled": False}),
    (stream_is_encrypted_by_kms, resource("OrdersStream"), {"StreamEncryption": {}}),
]


@pytest.mark.parametrize(("rule", "place", "change"), RULES, ids=[rule.__name__ for rule, *_ in RULES])
def test_template_keeps_the_rule_and_a_changed_one_is_found_out(
    rule: Callable[[Template], bool], place: Callable[[Template], dict[str, Any]], change: dict[str, Any]
) -> None:
    template = source("pipes")
    assert rule(translated(template))
    place(template).update(change)
    assert not rule(translated(template))


def test_roles_grant_what_is_needed_and_nothing_else() -> None:
    of_the_pipe = {("lambda:InvokeFunction", "OrdersFunction.Arn"), ("sqs:SendMessage", "OrdersDeadLetterQueue.Arn")}

    assert set(grants(translated(source("pipes")))) == READ["kinesis"] | OWN_LOGS_AND_TRACES | of_the_pipe


def test_translated_template_has_nothing_to_complain_of_and_a_wrong_one_has() -> None:
    assert complaints(source("pipes")) == []
    wrong = source("pipes")
    target_parameters(wrong)["InvocationType"] = "LATER"
    assert any("'LATER' is not one of" in found for found in complaints(wrong))


def test_handler_is_a_function_of_the_folder_that_is_deployed() -> None:
    deployed = function(source("pipes"))
    folder = (path_of("pipes").parent / deployed["CodeUri"]).resolve()
    module, _, handler = deployed["Handler"].partition(".")
    tree = ast.parse((folder / f"{module}.py").read_text())
    assert handler in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert "batchcore-pipes" in (folder / "requirements.txt").read_text().split()
