"""The template of a bucket, a topic and a queue in a row: what each may do, and what the function gets of it."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from typing import Any

import pytest

from .test_templates import (
    OWN_LOGS_AND_TRACES,
    READ,
    Template,
    arn,
    complaints,
    dead_letters_are_kept_14_days,
    event,
    function,
    grants,
    grants_no_avoidable_wildcard,
    offline,
    path_of,
    properties,
    queues_are_encrypted,
    redrives_after_two_receives,
    reports_item_failures,
    resource,
    source,
    translated,
    visibility_is_six_times_the_timeout,
)

__all__ = ["offline"]  # the fixture, for every test here too

NAME = "envelopes"
TOPIC = {"Ref": "OrdersTopic"}


def allowed(template: Template, policy: str) -> dict[str, Any]:
    (statement,) = template["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"]
    found: dict[str, Any] = statement
    return found


def the_bucket_notifies_the_topic(template: Template) -> bool:
    told = resource("OrdersBucket")(template).get("NotificationConfiguration")
    return bool(told == {"TopicConfigurations": [{"Topic": TOPIC, "Event": "s3:ObjectCreated:*"}]})


def the_notification_waits_for_the_leave_to_publish(template: Template) -> bool:
    return bool(template["Resources"]["OrdersBucket"].get("DependsOn") == "OrdersTopicPolicy")


def buckets_of_this_account_alone_may_publish(template: Template) -> bool:
    return allowed(template, "OrdersTopicPolicy") == {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": TOPIC,
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }


def the_queue_subscribes_and_gets_whole_notifications(template: Template) -> bool:
    subscription = resource("OrdersSubscription")(template)
    ends = subscription.get("TopicArn"), subscription.get("Protocol"), subscription.get("Endpoint")
    return ends == (TOPIC, "sqs", arn("OrdersQueue")) and subscription.get("RawMessageDelivery") is False


def the_topic_alone_may_send_to_the_queue(template: Template) -> bool:
    return allowed(template, "OrdersQueuePolicy") == {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn("OrdersQueue"),
        "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}},
    }


def one_mapping_reads_the_queue(template: Template) -> bool:
    mappings = properties(template, "AWS::Lambda::EventSourceMapping")
    return [each["EventSourceArn"] for each in mappings] == [arn("OrdersQueue")]


def nobody_reads_the_bucket_from_outside(template: Template) -> bool:
    bucket = resource("OrdersBucket")(template)
    blocks = bucket.get("PublicAccessBlockConfiguration", {})
    return "BucketEncryption" in bucket and list(blocks.values()) == [True] * 4


def statement(policy: str) -> Callable[[Template], dict[str, Any]]:
    return lambda template: allowed(template, policy)


def whole(name: str) -> Callable[[Template], dict[str, Any]]:
    return lambda template: template["Resources"][name]


# Each rule with one change to the template after which it must be found broken.
RULES: list[tuple[Callable[[Template], bool], Callable[[Template], dict[str, Any]], dict[str, Any]]] = [
    (the_bucket_notifies_the_topic, resource("OrdersBucket"), {"NotificationConfiguration": {}}),
    (the_notification_waits_for_the_leave_to_publish, whole("OrdersBucket"), {"DependsOn": "OrdersTopic"}),
    (buckets_of_this_account_alone_may_publish, statement("OrdersTopicPolicy"), {"Condition": {}}),
    (buckets_of_this_account_alone_may_publish, statement("OrdersTopicPolicy"), {"Principal": "*"}),
    (the_queue_subscribes_and_gets_whole_notifications, resource("OrdersSubscription"), {"RawMessageDelivery": True}),
    (the_queue_subscribes_and_gets_whole_notifications, resource("OrdersSubscription"), {"Protocol": "lambda"}),
    (the_topic_alone_may_send_to_the_queue, statement("OrdersQueuePolicy"), {"Condition": {}}),
    (the_topic_alone_may_send_to_the_queue, statement("OrdersQueuePolicy"), {"Action": "sqs:*"}),
    (one_mapping_reads_the_queue, event, {"Queue": arn("OrdersDeadLetterQueue")}),
    (reports_item_failures, event, {"FunctionResponseTypes": []}),
    (visibility_is_six_times_the_timeout, function, {"Timeout": 15}),
    (redrives_after_two_receives, resource("OrdersQueue"), {"RedrivePolicy": {}}),
    (dead_letters_are_kept_14_days, resource("OrdersDeadLetterQueue"), {"MessageRetentionPeriod": 60}),
    (queues_are_encrypted, resource("OrdersQueue"), {"SqsManagedSseEnabled": False}),
    (nobody_reads_the_bucket_from_outside, resource("OrdersBucket"), {"PublicAccessBlockConfiguration": {}}),
    (grants_no_avoidable_wildcard, function, {"Role": None}),
]


@pytest.mark.parametrize(("rule", "place", "change"), RULES, ids=[rule.__name__ for rule, *_ in RULES])
def test_template_keeps_the_rule_and_a_changed_one_is_found_out(
    rule: Callable[[Template], bool], place: Callable[[Template], dict[str, Any]], change: dict[str, Any]
) -> None:
    template = source(NAME)
    assert rule(translated(template))
    place(template).update({key: value for key, value in change.items() if value is not None})
    for key in [key for key, value in change.items() if value is None]:
        del place(template)[key]
    assert not rule(translated(template))


def test_role_grants_what_is_needed_and_nothing_else() -> None:
    """It opens what the queue holds, and reads no object: who imports them adds ``s3:GetObject``."""
    assert set(grants(translated(source(NAME)))) == READ["sqs"] | OWN_LOGS_AND_TRACES


def test_translated_template_has_nothing_to_complain_of_and_a_wrong_one_has() -> None:
    assert complaints(source(NAME)) == []
    wrong = source(NAME)
    resource("OrdersSubscription")(wrong)["RawDelivery"] = False
    assert any("'RawDelivery' was unexpected" in found for found in complaints(wrong))


def test_nothing_waits_for_itself() -> None:
    """The bucket waits for the policy, so the policy must not name the bucket."""
    assert "OrdersBucket" not in json.dumps(source(NAME)["Resources"]["OrdersTopicPolicy"])


def test_handler_is_a_function_of_the_folder_that_is_deployed_and_opens_what_the_template_sends() -> None:
    deployed = function(source(NAME))
    folder = (path_of(NAME).parent / deployed["CodeUri"]).resolve()
    module, _, handler = deployed["Handler"].partition(".")
    program = (folder / f"{module}.py").read_text()
    assert handler in {node.name for node in ast.parse(program).body if isinstance(node, ast.FunctionDef)}
    assert "open(SNS, S3)" in program
    assert {"batchcore-envelopes", "batchcore-sqs"} <= set((folder / "requirements.txt").read_text().split())
