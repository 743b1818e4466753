"""The SAM templates deploy what they claim: checked on the CloudFormation that SAM makes of them, offline.

Linting the SAM source is not enough: some versions of the linter do not look inside a SAM function, and pass a
wrong ``FunctionResponseTypes``. So the templates are translated first, and the controls below must be found wrong.
"""

from __future__ import annotations

import ast
import copy
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

EXAMPLES = Path(__file__).parents[3] / "examples"
REGION = "us-east-1"
BROKERS = ("rabbitmq", "activemq")
NAMES = ("sqs", "kinesis", "dynamodb", "kafka")
ALL = (*NAMES, *BROKERS)
STREAMS = ("kinesis", "dynamodb", "kafka")
FUNCTION, ROLE, DEAD_LETTERS = "OrdersFunction", "OrdersRole", "OrdersDeadLetterQueue"

Template = dict[str, Any]
Rule = Callable[[Template], bool]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection: a template must not need AWS, nor the network, to be checked."""

    def refuse(_socket: socket.socket, address: object) -> None:
        pytest.fail(f"The check of a template wanted to connect to {address}.")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


class NoManagedPolicies:
    """SAM asks for the names of AWS's managed policies only where a template names one. These name none."""

    def load(self) -> dict[str, str]:
        return {}


def path_of(name: str) -> Path:
    """Give the path of a template, which lies in ``sam`` or beside its program."""
    path = EXAMPLES / "sam" / f"{name}.yaml"
    return path if path.is_file() else EXAMPLES / name / "template.yaml"


def source(name: str) -> Template:
    template: Template = yaml_parse(path_of(name).read_text())
    return template


def translated(template: Template) -> Template:
    template = copy.deepcopy(template)
    template["Resources"][FUNCTION]["Properties"]["CodeUri"] = "s3://artifacts/code.zip"
    cloudformation: Template = transform(template, {}, NoManagedPolicies())
    return cloudformation


def complaints(template: Template) -> list[str]:
    found = lint(json.dumps(translated(template)), config=ManualArgs(regions=[REGION]))
    return [f"{match.rule.id} {match.message}" for match in found]


def properties(template: Template, kind: str) -> list[dict[str, Any]]:
    return [r["Properties"] for r in template["Resources"].values() if r["Type"] == kind]


def mapping(template: Template) -> dict[str, Any]:
    (found,) = properties(template, "AWS::Lambda::EventSourceMapping")
    return found


def arn(resource: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [resource, "Arn"]}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def readable(resource: str | dict[str, Any]) -> str:
    if isinstance(resource, str):
        return resource
    (argument,) = resource.values()  # of Fn::GetAtt or Fn::Sub
    return ".".join(listed(argument))


def grants(template: Template) -> Iterator[tuple[str, str]]:
    """Give every allowed action with the resource it is allowed on, as one string each."""
    for role in properties(template, "AWS::IAM::Role"):
        for policy in role.get("Policies", []):
            for statement in listed(policy["PolicyDocument"]["Statement"]):
                for action in listed(statement["Action"]):
                    for resource in listed(statement["Resource"]):
                        yield action, readable(resource)


OWN_LOGS_AND_TRACES = {
    ("logs:CreateLogStream", "OrdersFunctionLogs.Arn"),
    ("logs:PutLogEvents", "OrdersFunctionLogs.Arn"),
    ("xray:PutTraceSegments", "*"),
    ("xray:PutTelemetryRecords", "*"),
}
SEND_TO_DEAD_LETTERS = {
    ("sqs:GetQueueAttributes", "OrdersDeadLetterQueue.Arn"),
    ("sqs:GetQueueUrl", "OrdersDeadLetterQueue.Arn"),
    ("sqs:SendMessage", "OrdersDeadLetterQueue.Arn"),
}
NETWORK_INTERFACES = {
    *((f"ec2:{action}NetworkInterface", "*") for action in ("Create", "Delete")),
    *((f"ec2:Describe{what}", "*") for what in ("NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")),
}
IN_CLUSTER = (
    "arn:${{AWS::Partition}}:kafka:${{AWS::Region}}:${{AWS::AccountId}}:{}/${{ClusterName}}/${{ClusterUuid}}/{}"
)
CLUSTER, OF_TOPIC = IN_CLUSTER.format("cluster", "").rstrip("/"), IN_CLUSTER.format("topic", "${Topic}")
READ = {
    "sqs": {
        ("sqs:ReceiveMessage", "OrdersQueue.Arn"),
        ("sqs:DeleteMessage", "OrdersQueue.Arn"),
        ("sqs:GetQueueAttributes", "OrdersQueue.Arn"),
    },
    "kinesis": {
        ("kinesis:DescribeStream", "OrdersStream.Arn"),
        ("kinesis:DescribeStreamSummary", "OrdersStream.Arn"),
        ("kinesis:GetRecords", "OrdersStream.Arn"),
        ("kinesis:GetShardIterator", "OrdersStream.Arn"),
        ("kinesis:ListShards", "OrdersStream.Arn"),
    },
    "dynamodb": {
        ("dynamodb:DescribeStream", "OrdersTable.StreamArn"),
        ("dynamodb:GetRecords", "OrdersTable.StreamArn"),
        ("dynamodb:GetShardIterator", "OrdersTable.StreamArn"),
        ("dynamodb:ListStreams", "${OrdersTable.Arn}/stream/*"),
    },
    "kafka": {
        *((f"kafka:{action}", CLUSTER) for action in ("DescribeCluster", "DescribeClusterV2", "GetBootstrapBrokers")),
        *((f"kafka-cluster:{action}", CLUSTER) for action in ("Connect", "DescribeClusterDynamicConfiguration")),
        *(
            (f"kafka-cluster:{action}", IN_CLUSTER.format("topic", "${Topic}"))
            for action in ("DescribeTopic", "ReadData")
        ),
        *((f"kafka-cluster:{action}", IN_CLUSTER.format("group", "*")) for action in ("AlterGroup", "DescribeGroup")),
        *NETWORK_INTERFACES,
    },
    **{
        name: {
            ("mq:DescribeBroker", "OrdersBroker.Arn"),
            ("secretsmanager:GetSecretValue", "OrdersBrokerUser"),
            *NETWORK_INTERFACES,
        }
        for name in BROKERS
    },
}
# Wildcards that IAM leaves no way round: X-Ray has no resources, ListStreams is granted by table, network interfaces of
# pollers have no name beforehand, nor has the group that a mapping of Kafka makes.
UNAVOIDABLE = {
    ("xray:PutTraceSegments", "*"),
    ("xray:PutTelemetryRecords", "*"),
    *READ["dynamodb"],
    *READ["kafka"],
    *NETWORK_INTERFACES,
}


# Rules: each says whether a translated template keeps it.


def reports_item_failures(template: Template) -> bool:
    return bool(mapping(template).get("FunctionResponseTypes") == ["ReportBatchItemFailures"])


def asks_for_no_report(template: Template) -> bool:
    return "FunctionResponseTypes" not in mapping(template)


def batch_is_small(template: Template) -> bool:
    return bool(mapping(template).get("BatchSize", 100) <= 10)


def user_of_the_broker_is_a_secret(template: Template) -> bool:
    (broker,) = properties(template, "AWS::AmazonMQ::Broker")
    (user,) = broker["Users"]
    secret = "{{resolve:secretsmanager:${OrdersBrokerUser}:SecretString:%s}}"
    return [user["Username"], user["Password"]] == [{"Fn::Sub": secret % each} for each in ("username", "password")]


def reads_one_queue_as_the_user_of_the_broker(template: Template) -> bool:
    (broker,) = properties(template, "AWS::AmazonMQ::Broker")
    access = {each["Type"]: each["URI"] for each in mapping(template)["SourceAccessConfigurations"]}
    wanted: dict[str, Any] = {"BASIC_AUTH": {"Ref": "OrdersBrokerUser"}}
    if broker["EngineType"] == "RABBITMQ":
        wanted["VIRTUAL_HOST"] = "/"
    return bool(mapping(template)["Queues"] == ["orders"] and access == wanted)


def function_times_out_after_5_seconds(template: Template) -> bool:
    (function,) = properties(template, "AWS::Lambda::Function")
    return bool(function.get("Timeout") == 5)


def visibility_is_six_times_the_timeout(template: Template) -> bool:
    (function,) = properties(template, "AWS::Lambda::Function")
    queue = template["Resources"]["OrdersQueue"]["Properties"]
    return bool(queue.get("VisibilityTimeout") == 30 == 6 * function["Timeout"])


def redrives_after_two_receives(template: Template) -> bool:
    queue = template["Resources"]["OrdersQueue"]["Properties"]
    return bool(queue.get("RedrivePolicy") == {"maxReceiveCount": 2, "deadLetterTargetArn": arn(DEAD_LETTERS)})


def dead_letters_are_kept_14_days(template: Template) -> bool:
    return bool(template["Resources"][DEAD_LETTERS]["Properties"].get("MessageRetentionPeriod") == 14 * 24 * 3600)


def queues_are_encrypted(template: Template) -> bool:
    queues = properties(template, "AWS::SQS::Queue")
    return bool(queues) and all(queue.get("SqsManagedSseEnabled") is True for queue in queues)


def retries_twice(template: Template) -> bool:
    return bool(mapping(template).get("MaximumRetryAttempts") == 2)


def batch_size_is_100(template: Template) -> bool:
    return bool(mapping(template).get("BatchSize") == 100)


def discarded_go_to_the_dead_letter_queue(template: Template) -> bool:
    return bool(mapping(template).get("DestinationConfig") == {"OnFailure": {"Destination": arn(DEAD_LETTERS)}})


def stream_is_encrypted_by_kms(template: Template) -> bool:
    (stream,) = properties(template, "AWS::Kinesis::Stream")
    return bool(stream.get("StreamEncryption") == {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"})


def table_is_encrypted(template: Template) -> bool:
    (table,) = properties(template, "AWS::DynamoDB::Table")
    return bool(table.get("SSESpecification") == {"SSEEnabled": True})


def stream_carries_both_images(template: Template) -> bool:
    (table,) = properties(template, "AWS::DynamoDB::Table")
    return bool(table.get("StreamSpecification") == {"StreamViewType": "NEW_AND_OLD_IMAGES"})


def grants_no_avoidable_wildcard(template: Template) -> bool:
    wild = {(action, resource) for action, resource in grants(template) if "*" in action or "*" in resource}
    managed = any(role.get("ManagedPolicyArns") for role in properties(template, "AWS::IAM::Role"))
    return wild <= UNAVOIDABLE and not managed


def function(template: Template) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"][FUNCTION]["Properties"]
    return found


def event(template: Template) -> dict[str, Any]:
    found: dict[str, Any] = function(template)["Events"]["Orders"]["Properties"]
    return found


def resource(name: str) -> Callable[[Template], dict[str, Any]]:
    return lambda template: template["Resources"][name]["Properties"]


def first_statement(template: Template) -> dict[str, Any]:
    role = template["Resources"][ROLE]["Properties"]
    found: dict[str, Any] = role["Policies"][0]["PolicyDocument"]["Statement"][0]
    return found


# Each rule with the templates it is for, and one change to the template after which it must be found broken.
RULES: list[tuple[Rule, tuple[str, ...], Callable[[Template], dict[str, Any]], dict[str, Any]]] = [
    (reports_item_failures, NAMES, event, {"FunctionResponseTypes": None}),
    (asks_for_no_report, BROKERS, event, {"FunctionResponseTypes": ["ReportBatchItemFailures"]}),
    (batch_is_small, BROKERS, event, {"BatchSize": None}),
    (reads_one_queue_as_the_user_of_the_broker, BROKERS, event, {"Queues": ["orders", "others"]}),
    (
        reads_one_queue_as_the_user_of_the_broker,
        BROKERS,
        event,
        {"SourceAccessConfigurations": [{"Type": "BASIC_AUTH", "URI": "another"}]},
    ),
    (
        user_of_the_broker_is_a_secret,
        BROKERS,
        resource("OrdersBroker"),
        {"Users": [{"Username": "orders", "Password": "not so secret"}]},
    ),
    (function_times_out_after_5_seconds, ALL, function, {"Timeout": 6}),
    (visibility_is_six_times_the_timeout, ("sqs",), resource("OrdersQueue"), {"VisibilityTimeout": 29}),
    (visibility_is_six_times_the_timeout, ("sqs",), function, {"Timeout": 15}),
    (redrives_after_two_receives, ("sqs",), resource("OrdersQueue"), {"RedrivePolicy": None}),
    (dead_letters_are_kept_14_days, NAMES, resource(DEAD_LETTERS), {"MessageRetentionPeriod": None}),
    (queues_are_encrypted, NAMES, resource(DEAD_LETTERS), {"SqsManagedSseEnabled": False}),
    (queues_are_encrypted, ("sqs",), resource("OrdersQueue"), {"SqsManagedSseEnabled": None}),
    (retries_twice, STREAMS, event, {"MaximumRetryAttempts": None}),
    (batch_size_is_100, STREAMS, event, {"BatchSize": 10_000}),
    (discarded_go_to_the_dead_letter_queue, STREAMS, event, {"DestinationConfig": None}),
    (stream_is_encrypted_by_kms, ("kinesis",), resource("OrdersStream"), {"StreamEncryption": None}),
    (table_is_encrypted, ("dynamodb",), resource("OrdersTable"), {"SSESpecification": {"SSEEnabled": False}}),
    (
        stream_carries_both_images,
        ("dynamodb",),
        resource("OrdersTable"),
        {"StreamSpecification": {"StreamViewType": "KEYS_ONLY"}},
    ),
    (grants_no_avoidable_wildcard, ALL, first_statement, {"Resource": "*"}),
    (grants_no_avoidable_wildcard, ALL, first_statement, {"Action": ["sqs:*"]}),
    # Without a role of its own SAM makes one, with a managed policy on every resource of the account.
    (grants_no_avoidable_wildcard, ALL, function, {"Role": None}),
]
CASES = [
    pytest.param(rule, name, place, change, id=f"{name}-{rule.__name__}-{'-'.join(change)}")
    for rule, names, place, change in RULES
    for name in names
]


@pytest.mark.parametrize(("rule", "name", "place", "change"), CASES)
def test_template_keeps_the_rule_and_a_changed_one_is_found_out(
    rule: Rule, name: str, place: Callable[[Template], dict[str, Any]], change: dict[str, Any]
) -> None:
    template = source(name)
    assert rule(translated(template))
    for key, value in change.items():
        if value is None:
            del place(template)[key]
        else:
            place(template)[key] = value
    assert not rule(translated(template))


@pytest.mark.parametrize("name", ALL)
def test_role_grants_what_is_needed_and_nothing_else(name: str) -> None:
    needed = READ[name] | OWN_LOGS_AND_TRACES | (SEND_TO_DEAD_LETTERS if name in STREAMS else set())
    assert set(grants(translated(source(name)))) == needed


@pytest.mark.parametrize("name", ALL)
def test_translated_template_has_nothing_to_complain_of(name: str) -> None:
    assert complaints(source(name)) == []


WRONG = [
    (event, {"FunctionResponseTypes": ["ReportBatchFailures"]}, "'ReportBatchFailures' is not one of"),
    (function, {"Runtime": "python3.99"}, "python3.99"),
    (event, {"BatchSize": 0}, "0 is less than the minimum of 1"),
    (resource(DEAD_LETTERS), {"Retention": 1}, "'Retention' was unexpected"),
]


@pytest.mark.parametrize(("place", "change", "complaint"), WRONG, ids=[next(iter(change)) for _, change, _ in WRONG])
@pytest.mark.parametrize("name", NAMES)
def test_wrong_template_is_found_wrong(
    name: str, place: Callable[[Template], dict[str, Any]], change: dict[str, Any], complaint: str
) -> None:
    template = source(name)
    place(template).update(change)
    assert any(complaint in found for found in complaints(template))


@pytest.mark.parametrize("name", ALL)
def test_handler_is_a_function_of_the_folder_that_is_deployed(name: str) -> None:
    deployed = function(source(name))
    folder = (path_of(name).parent / deployed["CodeUri"]).resolve()
    module, _, handler = deployed["Handler"].partition(".")
    tree = ast.parse((folder / f"{module}.py").read_text())
    assert handler in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert (folder / "requirements.txt").is_file()
