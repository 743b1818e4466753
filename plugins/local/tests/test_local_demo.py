"""The demo, run as its command, ends with nothing lost; broken on purpose, it says what was lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from batchcore_local import LocalFunction
from batchcore_local.demo import hide_failures, run_demo
from batchcore_local.server import local_aws

APP = Path(__file__).parents[3] / "examples" / "orders" / "app.py"

HOSTILE = {
    "AWS_PROFILE": "of-somebody-else",
    "AWS_ACCESS_KEY_ID": "of-somebody-else",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "NO_PROXY": "",
    "no_proxy": "",
}
"""Settings of a user, every one of which would lead the demo astray."""


def batchcore(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "batchcore_local", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    ledger = tmp_path_factory.mktemp("demo") / "ledger.jsonl"
    return batchcore("demo", "--app", f"{APP}:lambda_handler", "--ledger", str(ledger), **HOSTILE), ledger


@pytest.fixture(scope="module")
def broken() -> subprocess.CompletedProcess[str]:
    return batchcore("demo", "--app", f"{APP}:lambda_handler", "--break", "response")


def row(output: str, name: str) -> list[str]:
    (line,) = [line for line in output.splitlines() if line.startswith(name)]
    return line.split()[-2:]


def test_the_demo_loses_nothing_whatever_the_users_own_settings_are(
    good: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    process, _ = good
    assert process.returncode == 0, process.stdout + process.stderr
    assert process.stdout.endswith("Nothing lost, nothing done twice: 30 sent = 27 shipped + 3 dead letters.\n")
    assert row(process.stdout, "sent, as") == ["30", "30"]
    assert row(process.stdout, "shipped, as") == ["27", "27"]
    assert row(process.stdout, "dead letters, as") == ["3", "3"]
    assert row(process.stdout, "left on the queue, as") == ["0", "0"]


def test_the_demo_shows_each_batch_and_what_came_back(good: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    process, _ = good
    batches = [line.split() for line in process.stdout.splitlines() if line.startswith("batch")]
    assert sum(int(words[words.index("received") + 1]) for words in batches) == 30 + 9
    assert sum(int(words[words.index("came") - 1]) for words in batches if "came" in words) == 9


def test_the_ledger_holds_every_attempt(good: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    _, ledger = good
    entries: list[dict[str, Any]] = [json.loads(line) for line in ledger.read_text().splitlines()]
    once = [entry["did"] for entry in entries if entry["order"] == "order-04"]
    always = [entry["did"] for entry in entries if entry["order"] == "order-07"]
    assert len(entries) == 30 + 9
    assert once == ["refused", "shipped"]
    assert always == ["refused", "refused"]


def test_a_response_that_hides_failures_loses_orders_and_the_demo_names_them(
    broken: subprocess.CompletedProcess[str],
) -> None:
    assert broken.returncode == 1
    assert "LOST, not shipped and in no queue: 9" in broken.stdout
    for name in ("order-04", "order-07", "order-09", "order-14", "order-17", "order-19", "order-24", "order-27"):
        assert f"\n  {name}  refused at attempt 1: " in broken.stdout
    assert "\n  order-01 " not in broken.stdout
    assert "Nothing lost" not in broken.stdout


def test_a_broken_response_never_raises_and_never_names_a_failure() -> None:
    event = {"Records": [{"messageId": "a"}, {"messageId": "b"}]}

    def fails(event: Any, context: Any) -> Any:
        raise ValueError

    partial = {"batchItemFailures": [{"itemIdentifier": "a"}]}
    assert "batchItemFailures" not in hide_failures(lambda event, context: partial)(event, None)
    assert "batchItemFailures" not in hide_failures(fails)(event, None)


CARELESS = """
import json, os

def lambda_handler(event, context):
    with open(os.environ["ORDERS_LEDGER"], "a") as ledger:
        for record in event["Records"]:
            order = json.loads(record["body"])
            if order["quantity"]:
                ledger.write(json.dumps({"order": order["order"], "attempt": 1, "did": "shipped"}) + "\\n")
    if any(json.loads(record["body"])["quantity"] == 0 for record in event["Records"]):
        raise ValueError("one of them is bad")
"""


def test_a_function_that_raises_for_one_bad_order_ships_the_others_twice_and_the_demo_says_so(tmp_path: Path) -> None:
    app = tmp_path / "careless_app.py"
    app.write_text(CARELESS)
    said: list[str] = []

    code = run_demo(f"{app}:lambda_handler", orders=10, queue_name="careless", say=said.append)

    assert code == 1
    assert "DONE TWICE, shipped more than once: 9" in said
    assert "DONE AND DEAD, shipped and a dead letter too: 9" in said
    assert any("the function failed: ValueError: one of them is bad" in line for line in said)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("demo", "--app", "missing.py:lambda_handler"), "no file 'missing.py'"),
        (("demo", "--orders", "9"), "at least 10"),
        (("demo", "--break", "everything"), "invalid choice"),
        (("demo", "--ledger", __file__), "exists"),
        ((), "required"),
    ],
)
def test_wrong_use_is_told_on_one_line_and_exits_with_2(arguments: tuple[str, ...], says: str) -> None:
    process = batchcore(*arguments)
    assert process.returncode == 2
    assert says in process.stderr
    assert "Traceback" not in process.stderr


def test_the_server_listens_on_loopback_only_and_ends_with_its_block() -> None:
    with local_aws() as aws:
        sqs = aws.client("sqs")
        assert aws.endpoint_url.startswith("http://127.0.0.1:")
        assert "ResponseMetadata" in sqs.list_queues()
    with pytest.raises(EndpointConnectionError):
        sqs.list_queues()


def test_the_users_aws_settings_are_out_of_sight_while_the_server_runs_and_back_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {name: value for name, value in HOSTILE.items() if name.startswith(("AWS_PROFILE", "AWS_ENDPOINT"))}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with local_aws():
        assert not settings.keys() & os.environ.keys()
    assert {name: os.environ[name] for name in settings} == settings


def test_a_functions_own_clients_reach_the_local_server() -> None:
    seen: list[Any] = []

    def handler(event: Any, context: Any) -> None:
        seen.append(boto3.client("sqs").list_queues(QueueNamePrefix="seen-by-the-function")["QueueUrls"])

    with local_aws() as aws:
        url = aws.client("sqs").create_queue(QueueName="seen-by-the-function")["QueueUrl"]
        LocalFunction(handler, environment=aws.environment()).invoke({"Records": []})
    assert seen == [[url]]
