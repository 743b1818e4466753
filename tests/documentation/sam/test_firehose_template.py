"""The template of a Firehose stream: the function that transforms its records, and what it may do."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from .test_templates import (
    Template,
    arn,
    complaints,
    offline,  # noqa: F401 - the fixture, which refuses every connection
    path_of,
    properties,
    source,
    translated,
)

NAME = "firehose"
NOBODY_ELSE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def processor(template: Template) -> dict[str, Any]:
    """Give the parameters of the stream's one processor."""
    (stream,) = properties(template, "AWS::KinesisFirehose::DeliveryStream")
    configuration = stream["ExtendedS3DestinationConfiguration"]["ProcessingConfiguration"]
    (only,) = configuration["Processors"]
    assert (configuration["Enabled"], only["Type"]) == (True, "Lambda")
    return {each["ParameterName"]: each["ParameterValue"] for each in only["Parameters"]}


def destination(template: Template) -> dict[str, Any]:
    (stream,) = properties(template, "AWS::KinesisFirehose::DeliveryStream")
    found: dict[str, Any] = stream["ExtendedS3DestinationConfiguration"]
    return found


def the_function_transforms(template: Template) -> bool:
    return bool(processor(template).get("LambdaArn") == arn("OrdersFunction"))


def an_invocation_that_failed_is_repeated(template: Template) -> bool:
    return int(processor(template).get("NumberOfRetries", 0)) >= 3


def a_buffer_leaves_room_for_growth(template: Template) -> bool:
    """Three bytes of data are four of a response, which may have six megabytes."""
    return float(processor(template).get("BufferSizeInMBs", 3)) * 4 / 3 * 3 <= 6


def what_failed_is_kept_apart(template: Template) -> bool:
    prefix = destination(template).get("ErrorOutputPrefix", "")
    return "!{firehose:error-output-type}" in prefix and not prefix.startswith(destination(template)["Prefix"])


def partitions_are_by_what_the_function_returns(template: Template) -> bool:
    enabled = destination(template).get("DynamicPartitioningConfiguration") == {"Enabled": True}
    return enabled and "!{partitionKeyFromLambda:customer}" in destination(template)["Prefix"]


def nobody_may_do_more_than_he_must(template: Template) -> bool:
    for role in properties(template, "AWS::IAM::Role"):
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                if "*" in "".join(statement["Action"]):
                    return False
                if statement["Resource"] == "*" and not set(statement["Action"]) <= NOBODY_ELSE:
                    return False
    return True


def the_stream_may_invoke_the_function(template: Template) -> bool:
    role = template["Resources"]["OrdersStreamRole"]["Properties"]
    allowed = [
        statement["Resource"]
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "lambda:InvokeFunction" in statement["Action"]
    ]
    return allowed == [arn("OrdersFunction")]


def nobody_reads_the_bucket_from_outside(template: Template) -> bool:
    (bucket,) = properties(template, "AWS::S3::Bucket")
    return all(bucket.get("PublicAccessBlockConfiguration", {}).values()) and "BucketEncryption" in bucket


RULES: list[tuple[Callable[[Template], bool], tuple[str, ...], Any]] = [
    (the_function_transforms, ("ParameterName", "LambdaArn"), "Other"),
    (an_invocation_that_failed_is_repeated, ("ParameterName", "NumberOfRetries"), "Other"),
    (a_buffer_leaves_room_for_growth, ("ParameterName", "BufferSizeInMBs"), "Other"),
    (what_failed_is_kept_apart, ("ErrorOutputPrefix",), "orders/"),
    (partitions_are_by_what_the_function_returns, ("DynamicPartitioningConfiguration",), {"Enabled": False}),
    (nobody_may_do_more_than_he_must, ("Action",), ["s3:*"]),
    (the_stream_may_invoke_the_function, ("PolicyName", "InvokeTheFunction"), None),
    (nobody_reads_the_bucket_from_outside, ("PublicAccessBlockConfiguration",), {"BlockPublicAcls": False}),
]


def test_the_template_is_what_cloudformation_takes() -> None:
    assert complaints(source(NAME)) == []


@pytest.mark.parametrize("rule", [rule for rule, *_ in RULES], ids=lambda rule: rule.__name__)
def test_the_template_keeps_a_rule(rule: Callable[[Template], bool]) -> None:
    assert rule(translated(source(NAME)))


@pytest.mark.parametrize(("rule", "place", "other"), RULES, ids=lambda value: getattr(value, "__name__", None))
def test_a_template_that_breaks_a_rule_is_found(rule: Any, place: tuple[str, ...], other: Any) -> None:
    template = translated(source(NAME))
    broken = changed(copy.deepcopy(template), place, other)

    assert broken != template
    assert not rule(broken)


def changed(value: Any, place: tuple[str, ...], other: Any) -> Any:
    """Give a template with something else under a key, or without what a key and its value name."""
    key, wanted = place if len(place) == 2 else (place[0], None)
    if isinstance(value, dict):
        return {
            name: other if name == key and wanted is None else changed(inner, place, other)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        kept = [item for item in value if not (wanted and isinstance(item, dict) and item.get(key) == wanted)]
        return [changed(item, place, other) for item in kept]
    return value


def test_the_handler_of_the_template_is_there() -> None:
    (function,) = properties(source(NAME), "AWS::Serverless::Function")
    module, _, name = function["Handler"].partition(".")
    code = (path_of(NAME).parent / function["CodeUri"] / f"{module}.py").read_text()
    assert f"def {name}(" in code
