"""A test of your own function: no AWS, no mocks, an event from a file and the response."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from app import lambda_handler, processor

EVENT = Path(__file__).parent / "events" / "sqs_event.json"


@dataclass
class Context:
    function_name: str = "orders"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
    aws_request_id: str = "52fdfc07-2182-154f-163f-5f0f9a621d72"


@pytest.fixture
def lambda_context() -> Context:
    return Context()


@pytest.fixture
def event() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(EVENT.read_text())
    return loaded


def test_the_message_that_fails_is_the_only_one_reported(event: dict[str, Any], lambda_context: Context) -> None:
    # Given a batch of two messages, of which the second holds no JSON
    succeeds, fails = event["Records"]

    # When Lambda calls the function
    response = lambda_handler(event, lambda_context)

    # Then the second is reported, and the first is not
    assert response == {"batchItemFailures": [{"itemIdentifier": fails["messageId"]}]}
    assert len(processor.fail_messages) == 1
    assert processor.success_messages[0] == succeeds
