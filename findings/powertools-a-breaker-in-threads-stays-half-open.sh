#!/usr/bin/env bash
# aws-lambda-powertools 3.37.0 (boto3 1.44.8, moto 5.2.5): after its recovery timeout a circuit is half open, and wants three
# successes, by default. They are all to come from one thread: the owner of the probe is a name in a thread-local. A pool that
# lives as long as one batch has no such thread in the next, so a circuit whose service is well again refuses every call, until
# a lease as long as the recovery timeout is over; then one thread probes once, and so on. With success_threshold=1, or in one
# thread, it closes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install \
    aws-lambda-powertools==3.37.0 boto3==1.44.8 'moto[dynamodb]==5.2.5'

export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
"$folder/env/bin/python" - <<'PROGRAM'
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from aws_lambda_powertools.utilities.circuit_breaker import CircuitBreakerConfig, CircuitBreakerOpenError, circuit_breaker
from aws_lambda_powertools.utilities.circuit_breaker.persistence import CircuitBreakerDynamoDBPersistence
from moto import mock_aws

WORKERS = 4


def served(name, workers, wanted):
    """Return how many of each round of four calls are served, once the service is well again."""
    well = []
    config = CircuitBreakerConfig(failure_threshold=1, recovery_timeout=3, success_threshold=wanted, local_cache_max_age=0)

    @circuit_breaker(name=name, persistence_store=CircuitBreakerDynamoDBPersistence("circuits"), config=config)
    def call():
        if not well:
            raise ConnectionError

    try:
        call()
    except ConnectionError:
        well.append(True)
    time.sleep(4)
    rounds = []
    for _ in range(3):
        all_here = threading.Barrier(workers)

        def batch(_):
            all_here.wait()  # so that each worker has its share
            done = 0
            for _ in range(WORKERS // workers):
                try:
                    call()
                    done += 1
                except CircuitBreakerOpenError:
                    pass
            return done

        with ThreadPoolExecutor(workers) as pool:
            rounds.append(sum(pool.map(batch, range(workers))) if workers > 1 else batch(0))
    return rounds


with mock_aws():
    boto3.client("dynamodb").create_table(
        TableName="circuits",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert served("one thread", 1, wanted=3) == [4, 4, 4]
    one = served("one probe", WORKERS, wanted=1)
    assert one[0] >= 1 and one[1:] == [4, 4], one
    three = served("three probes", WORKERS, wanted=3)
    assert three == [1, 0, 0], three
PROGRAM
echo "As seen: a circuit that wants three probes serves one call of twelve in threads, though its service is well."
