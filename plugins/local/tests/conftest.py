"""One local server for the tests of a file, and queues that no other test uses."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from batchcore_local.server import LocalAws, local_aws


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with local_aws() as connection:
        yield connection


@pytest.fixture
def sqs(aws: LocalAws) -> Any:
    return aws.client("sqs")


@pytest.fixture
def make_queue(sqs: Any) -> Callable[..., str]:
    """Create a queue whose failed messages come back at once, and give its URL."""

    def make(dead_letters: str | None = None, suffix: str = "", **attributes: str) -> str:
        if dead_letters is not None:
            arn = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            attributes["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
        url: str = sqs.create_queue(
            QueueName=f"q-{uuid.uuid4()}{suffix}", Attributes={"VisibilityTimeout": "0", **attributes}
        )["QueueUrl"]
        return url

    return make
