"""The template of a function for jobs of S3 Batch Operations: who may do what."""

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

NAME = "s3batch"
NOBODY_ELSE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def statements(template: Template, role: str) -> dict[str, list[Any]]:
    """Give what each action of a role may be done with."""
    found: dict[str, list[Any]] = {}
    for policy in template["Resources"][role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                found.setdefault(action, []).append(statement["Resource"])
    return found


def below(bucket: str, prefix: str = "") -> dict[str, str]:
    return {"Fn::Sub": f"${{{bucket}.Arn}}/{prefix}*"}


def a_job_may_invoke_the_function_and_no_other(template: Template) -> bool:
    return statements(template, "JobRole").get("lambda:InvokeFunction") == [arn("OrdersFunction")]


def a_job_reads_manifests_and_writes_reports(template: Template) -> bool:
    allowed = statements(template, "JobRole")
    reads = allowed.get("s3:GetObject") == [below("JobsBucket", "manifests/")]
    return reads and allowed.get("s3:PutObject") == [below("JobsBucket", "reports/")]


def only_jobs_of_this_account_take_the_role_on(template: Template) -> bool:
    (statement,) = template["Resources"]["JobRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    is_of_jobs = statement["Principal"] == {"Service": "batchoperations.s3.amazonaws.com"}
    return is_of_jobs and "aws:SourceAccount" in statement.get("Condition", {}).get("StringEquals", {})


def the_function_reads_orders_and_writes_copies(template: Template) -> bool:
    allowed = statements(template, "OrdersRole")
    reads = allowed.get("s3:GetObject") == [below("OrdersBucket")]
    return reads and allowed.get("s3:PutObject") == [below("CopiesBucket")]


def the_function_sees_what_is_not_there(template: Template) -> bool:
    return statements(template, "OrdersRole").get("s3:ListBucket") == [arn("OrdersBucket")]


def the_function_knows_where_to_write(template: Template) -> bool:
    (function,) = properties(template, "AWS::Lambda::Function")
    return bool(function["Environment"]["Variables"].get("TARGET_BUCKET") == {"Ref": "CopiesBucket"})


def nobody_may_do_more_than_he_must(template: Template) -> bool:
    for role in ("OrdersRole", "JobRole"):
        for action, resources in statements(template, role).items():
            if "*" in action or ("*" in resources and action not in NOBODY_ELSE):
                return False
    return True


def nobody_reads_a_bucket_from_outside(template: Template) -> bool:
    return all(
        all(bucket.get("PublicAccessBlockConfiguration", {"": False}).values()) and "BucketEncryption" in bucket
        for bucket in properties(template, "AWS::S3::Bucket")
    )


RULES: list[tuple[Callable[[Template], bool], str, Any, Any]] = [
    (a_job_may_invoke_the_function_and_no_other, "Resource", arn("OrdersFunction"), "*"),
    (a_job_reads_manifests_and_writes_reports, "Resource", below("JobsBucket", "manifests/"), below("JobsBucket")),
    (only_jobs_of_this_account_take_the_role_on, "Condition", None, {}),
    (the_function_reads_orders_and_writes_copies, "Resource", below("OrdersBucket"), below("JobsBucket")),
    (the_function_sees_what_is_not_there, "Resource", arn("OrdersBucket"), arn("JobsBucket")),
    (the_function_knows_where_to_write, "TARGET_BUCKET", None, "another"),
    (nobody_may_do_more_than_he_must, "Resource", arn("OrdersFunction"), "*"),
    (nobody_reads_a_bucket_from_outside, "BlockPublicAcls", True, False),
]


def test_the_template_is_what_cloudformation_takes() -> None:
    assert complaints(source(NAME)) == []


@pytest.mark.parametrize("rule", [rule for rule, *_ in RULES], ids=lambda rule: rule.__name__)
def test_the_template_keeps_a_rule(rule: Callable[[Template], bool]) -> None:
    assert rule(translated(source(NAME)))


@pytest.mark.parametrize(("rule", "key", "was", "other"), RULES, ids=lambda value: getattr(value, "__name__", None))
def test_a_template_that_breaks_a_rule_is_found(rule: Any, key: str, was: Any, other: Any) -> None:
    template = translated(source(NAME))
    broken = changed(copy.deepcopy(template), key, was, other)

    assert broken != template
    assert not rule(broken)


def changed(value: Any, key: str, was: Any, other: Any) -> Any:
    """Give a template with something else under a key that has a value; under each such key where that is None."""
    if isinstance(value, dict):
        return {
            name: other if name == key and was in (None, inner) else changed(inner, key, was, other)
            for name, inner in value.items()
        }
    return [changed(item, key, was, other) for item in value] if isinstance(value, list) else value


def test_the_handler_of_the_template_is_there() -> None:
    (function,) = properties(source(NAME), "AWS::Serverless::Function")
    module, _, name = function["Handler"].partition(".")

    assert f"def {name}(" in (path_of(NAME).parent / function["CodeUri"] / f"{module}.py").read_text()
