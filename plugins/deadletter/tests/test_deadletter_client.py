"""Which client sends, and what is wrong use."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import batchcore_deadletter
from batchcore import ConfigurationError
from batchcore_deadletter import NotDeliveredError, SNSDeadLetters, SQSDeadLetters, delivery
from batchcore_local.server import LocalAws

Fixture = Callable[..., Any]

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/name"
ARN = "arn:aws:sns:eu-west-1:123456789012:name"


def test_the_public_names_are_sorted_and_there() -> None:
    assert batchcore_deadletter.__all__ == sorted(batchcore_deadletter.__all__)
    assert all(hasattr(batchcore_deadletter, name) for name in batchcore_deadletter.__all__)


def test_a_deliverer_that_is_not_needed_does_not_import_boto3() -> None:
    program = (
        "import sys\n"
        "from batchcore import BatchProcessor\n"
        "from batchcore_deadletter import SNSDeadLetters, SQSDeadLetters\n"
        f"for deliverer in (SQSDeadLetters({URL!r}), SNSDeadLetters({ARN!r})):\n"
        "    BatchProcessor('kinesis', plugins=[deliverer]).run({'Records': []}, print)\n"
        "print(sorted({'boto3', 'botocore'} & sys.modules.keys()))\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.stdout == "[]\n", result.stderr


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("sqs.eu-west-1.amazonaws.com", "eu-west-1"),
        ("eu-central-1.queue.amazonaws.com", "eu-central-1"),
        ("sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("sqs-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("vpce-0a1b-2c3d.sqs.ap-south-2.vpce.amazonaws.com", "ap-south-2"),
        ("queue.example.com", "us-east-1"),
        ("company.queue.example.com", "us-east-1"),
        ("127.0.0.1:4566", "us-east-1"),
    ],
)
def test_a_queue_is_called_in_the_region_of_its_url_else_in_that_of_the_environment(
    failed: Fixture, make_letter: Fixture, proxy: Any, host: str, region: str
) -> None:
    records = failed(make_letter())
    SQSDeadLetters(f"https://{host}/123456789012/nowhere").deliver_dead_letters(records.outcomes, records.batch)
    assert [request.region for request in proxy.requests] == [region]


@pytest.mark.parametrize(("partition", "region"), [("aws", "eu-west-1"), ("aws-us-gov", "us-gov-west-1")])
def test_a_topic_is_called_in_the_region_of_its_arn(
    failed: Fixture, make_letter: Fixture, proxy: Any, partition: str, region: str
) -> None:
    records = failed(make_letter())
    deliverer = SNSDeadLetters(f"arn:{partition}:sns:{region}:123456789012:nowhere")
    deliverer.deliver_dead_letters(records.outcomes, records.batch)
    assert [request.region for request in proxy.requests] == [region]


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_of_the_environment_has_either_name(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv(name, "ap-southeast-2")
    records = failed(make_letter())
    SQSDeadLetters("http://127.0.0.1:4566/123456789012/q").deliver_dead_letters(records.outcomes, records.batch)
    assert [request.region for request in proxy.requests] == ["ap-southeast-2"]


def test_a_client_that_cannot_be_made_delivers_nothing(
    failed: Fixture, make_letter: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    records = failed(make_letter("m1"), make_letter("m2"))
    deliverer = SQSDeadLetters("http://127.0.0.1:4566/123456789012/q")
    problems = deliverer.deliver_dead_letters(records.outcomes, records.batch)
    assert [str(problem).partition(":")[0] for problem in problems] == [
        "The dead letter of record m1 was not delivered",
        "The dead letter of record m2 was not delivered",
    ]
    assert all(isinstance(problem, NotDeliveredError) and problem.code == "NoRegionError" for problem in problems)


def test_a_client_that_is_given_is_used(
    aws: LocalAws, make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    """It goes to the server itself, one that is made to the proxy."""
    url = make_queue()
    records = failed(make_letter())
    SQSDeadLetters(url, client=aws.client("sqs")).deliver_dead_letter(records.outcomes[0], records.batch)
    assert len(arrived(url)) == 1
    assert proxy.requests == []


def test_threads_make_one_client_and_all_deliver_with_it(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, threads, made = make_queue(), 8, []
    make = delivery._new_client

    def slowly(service: str, region: str | None) -> Any:
        time.sleep(0.2)
        made.append(make(service, region))
        return made[-1]

    monkeypatch.setattr(delivery, "_new_client", slowly)
    records = failed(*(make_letter(f"m{number}", f"body {number}") for number in range(threads)))
    deliverer, together = SQSDeadLetters(url), threading.Barrier(threads)
    problems: list[Any] = []

    def deliver(number: int) -> None:
        together.wait(10)
        problems.extend(deliverer.deliver_dead_letters([records.outcomes[number]], records.batch))

    workers = [threading.Thread(target=deliver, args=[number]) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert problems == [None] * threads
    assert [message["Body"] for message in arrived(url)] == [f"body {number}" for number in range(threads)]
    assert len(made) == 1


def test_a_client_is_kept(make_queue: Fixture, failed: Fixture, make_letter: Fixture) -> None:
    deliverer, records = SQSDeadLetters(make_queue()), failed(make_letter())
    clients = []
    for _ in range(2):
        deliverer.deliver_dead_letter(records.outcomes[0], records.batch)
        clients.append(deliverer._target._client)
    assert clients[0] is clients[1] is not None


def test_a_client_waits_and_retries_as_documented(make_queue: Fixture, failed: Fixture, make_letter: Fixture) -> None:
    deliverer, records = SQSDeadLetters(make_queue()), failed(make_letter())
    deliverer.deliver_dead_letter(records.outcomes[0], records.batch)
    config = deliverer._target._client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (2, 5)
    assert config.retries["mode"] == "standard"
    assert config.retries["total_max_attempts"] == 3


# Wrong use.


@pytest.mark.parametrize(
    "url",
    [
        "",
        "name",
        "arn:aws:sqs:eu-west-1:123456789012:name",
        "https://sqs.eu-west-1.amazonaws.com",
        "https://sqs.eu-west-1.amazonaws.com/",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/",
        "ftp://sqs.eu-west-1.amazonaws.com/123456789012/name",
        f"{URL} ",
        f"{URL}\n",
        f"{URL}?a=b",
        URL.encode(),
        None,
        17,
    ],
)
def test_what_is_no_url_of_a_queue_is_refused(url: Any) -> None:
    with pytest.raises(ConfigurationError, match="queue_url is the URL of a queue, such as https"):
        SQSDeadLetters(url)


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "name",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/name",
        "arn:aws:sqs:eu-west-1:123456789012:name",
        "arn:aws:sns::123456789012:name",
        "arn:aws:sns:eu-west-1:123456789012:",
        "arn:aws:sns:eu-west-1:123456789012:name:6b0e71bd-7e97-4d97-80ce-4a0994e55286",
        f"{ARN}\n",
        ARN.encode(),
        None,
        17,
    ],
)
def test_what_is_no_arn_of_a_topic_is_refused(arn: Any) -> None:
    with pytest.raises(ConfigurationError, match="topic_arn is the ARN of a topic, such as arn:aws:sns"):
        SNSDeadLetters(arn)


@pytest.mark.parametrize("size", [0, -1, 1_048_577, 1.5, "1024", True, None])
def test_a_size_that_cannot_be_is_refused(size: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"maximum_size is a number of bytes from 1 to 1,048,576, not"):
        SQSDeadLetters(URL, maximum_size=size)
    with pytest.raises(ConfigurationError, match="maximum_size"):
        SNSDeadLetters(ARN, maximum_size=size)


def test_a_client_of_another_service_is_refused(aws: LocalAws) -> None:
    with pytest.raises(ConfigurationError, match="client is a boto3 client of sqs, not SNS"):
        SQSDeadLetters(URL, client=aws.client("sns"))
    with pytest.raises(ConfigurationError, match="client is a boto3 client of sns, not SQS"):
        SNSDeadLetters(ARN, client=aws.client("sqs"))


def test_a_deliverer_shows_where_it_delivers() -> None:
    assert repr(SQSDeadLetters(URL)) == f"SQSDeadLetters({URL!r})"
    assert repr(SNSDeadLetters(ARN)) == f"SNSDeadLetters({ARN!r})"
