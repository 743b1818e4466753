#!/usr/bin/env bash
# aws-lambda-powertools 3.37.0 (boto3 1.44.8, moto 5.2.5): an idempotent function calls another one, with the same
# DynamoDBPersistenceLayer. Each call writes its name into the layer, and keys are made of the name that was written last. So
# the outer function, when it has returned, is completed under the name of the inner: its own row stays INPROGRESS. Called
# again with the same data it raises IdempotencyAlreadyInProgressError until the invocation's time has passed, and then does
# its work once more. With a layer for each function, all is as one expects. Also its configuration is that of the first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install \
    aws-lambda-powertools==3.37.0 boto3==1.44.8 'moto[dynamodb]==5.2.5'

export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
"$folder/env/bin/python" -W ignore - <<'PROGRAM'
import time

import boto3
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError
from moto import mock_aws


class Context:
    def get_remaining_time_in_millis(self):
        return 500


def works(outer, inner):
    """Return how often the outer function works, called three times with one order, and what is in the table."""
    done = []
    config = IdempotencyConfig(lambda_context=Context())

    @idempotent_function(data_keyword_argument="parcel", config=config, persistence_store=inner)
    def ship(parcel):
        return "shipped"

    @idempotent_function(data_keyword_argument="order", config=config, persistence_store=outer)
    def meet(order):
        done.append(order)
        return ship(parcel={"of": order["id"]})

    raised = []
    for wait in (0, 0, 1):
        time.sleep(wait)
        try:
            meet(order={"id": 17})
        except IdempotencyAlreadyInProgressError:
            raised.append("in progress")
    return len(done), raised


with mock_aws():
    table = boto3.resource("dynamodb").create_table(
        TableName="done",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert works(DynamoDBPersistenceLayer("done"), DynamoDBPersistenceLayer("done")) == (1, [])
    for row in table.scan()["Items"]:
        table.delete_item(Key={"id": row["id"]})
    layer = DynamoDBPersistenceLayer("done")
    seen = works(layer, layer)
    assert seen == (2, ["in progress"]), seen
PROGRAM
echo "As seen: with one layer for two functions, the outer is never completed, and works twice; with two it works once."
