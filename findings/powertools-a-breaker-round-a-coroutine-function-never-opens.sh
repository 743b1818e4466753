#!/usr/bin/env bash
# aws-lambda-powertools 3.37.0: circuit_breaker round a coroutine function takes it without a word, and calls of it work. What
# it counts is whether the call raises, and a call of a coroutine function only returns a coroutine: each is a success. The
# circuit never opens, however often the service behind it fails, and in place of a circuit that opened elsewhere it raises
# where one calls and not where one awaits. A plain function, in a thread of asyncio.to_thread(), is counted.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install \
    aws-lambda-powertools==3.37.0 boto3==1.44.8 'moto[dynamodb]==5.2.5'

export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
"$folder/env/bin/python" - <<'PROGRAM'
import asyncio

import boto3
from aws_lambda_powertools.utilities.circuit_breaker import CircuitBreakerConfig, CircuitBreakerOpenError, circuit_breaker
from aws_lambda_powertools.utilities.circuit_breaker.persistence import CircuitBreakerDynamoDBPersistence
from moto import mock_aws


def protected(name):
    store, config = CircuitBreakerDynamoDBPersistence("circuits"), CircuitBreakerConfig(failure_threshold=3)
    return circuit_breaker(name=name, persistence_store=store, config=config)


async def reached():
    """Return how many of ten calls reach a service that is down: of a coroutine function, and of a plain one."""
    tried = {"coroutine": 0, "plain": 0}

    @protected("coroutine")
    async def call():
        tried["coroutine"] += 1
        raise ConnectionError

    @protected("plain")
    def call_plainly():
        tried["plain"] += 1
        raise ConnectionError

    for _ in range(10):
        for calling in (call, lambda: asyncio.to_thread(call_plainly)):
            try:
                await calling()
            except (ConnectionError, CircuitBreakerOpenError):
                pass
    return tried


with mock_aws():
    boto3.client("dynamodb").create_table(
        TableName="circuits",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert asyncio.run(reached()) == {"coroutine": 10, "plain": 3}
PROGRAM
echo "As seen: of ten calls to a service that is down ten reach it through a coroutine function, three through a plain one."
