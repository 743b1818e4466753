#!/usr/bin/env bash
# zappa 0.63.0: its handler calls the function of an event by (event, context), and takes a TypeError for a sign that the
# function wants fewer arguments. One would guess that it looks at the signature. It calls again with the event alone, and
# then with nothing, whatever raised the TypeError. So for `def charge(event, context=None)`, a usual signature, one record
# without an amount runs the batch from its start a second time in the same invocation: what was done is done twice. It
# ends with RuntimeError "Function signature is invalid", and each retry of SQS does it twice again. A KeyError at the same
# place runs the batch once. Whoever processes batches behind Zappa must let no TypeError out.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install zappa==0.63.0

# What `zappa package` writes beside the function, as far as the handler reads it.
cat >"$folder/settings.py" <<'SETTINGS'
DJANGO_SETTINGS = EXCEPTION_HANDLER = DOMAIN = None
DEBUG = BINARY_SUPPORT = False
LOG_LEVEL = "CRITICAL"
PROJECT_NAME, API_STAGE = "shop", "prod"
ENVIRONMENT_VARIABLES = {}
COGNITO_TRIGGER_MAPPING = {}
AWS_BOT_EVENT_MAPPING = {}
AWS_EVENT_MAPPING = {"arn:aws:sqs:eu-west-1:123456789012:orders": "shop.charge"}
SETTINGS
cat >"$folder/shop.py" <<'SHOP'
import json

charged = []


def charge(event, context=None):
    for record in event["Records"]:
        order = json.loads(record["body"])
        charged.append((order["number"], 100 * order["amount"], context is not None))
    return {"batchItemFailures": []}
SHOP

cd "$folder"
env/bin/python - <<'PROGRAM'
import json
import logging
import sys

sys.path.insert(0, ".")
import shop
from zappa.handler import LambdaHandler

logging.disable()
handler = LambdaHandler(settings_name="settings")


def invoked(*orders):
    """Return the answer to a batch of these orders, or the error, and what was charged, with or without a context."""
    records = [
        {
            "messageId": str(number),
            "body": json.dumps(order),
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders",
        }
        for number, order in enumerate(orders)
    ]
    shop.charged.clear()
    try:
        return handler.handler({"Records": records}, object()), *shop.charged
    except Exception as error:
        return f"{type(error).__name__}: {error}", *shop.charged


first = {"number": "a", "amount": 5}
assert invoked(first) == ({"batchItemFailures": []}, ("a", 500, True))
assert invoked(first, {"number": "b"}) == ("KeyError: 'amount'", ("a", 500, True))
error, *charged = invoked(first, {"number": "b", "amount": None})
assert error.startswith("RuntimeError: Function signature is invalid"), error
assert charged == [("a", 500, True), ("a", 500, False)], charged
PROGRAM
echo "As seen: a TypeError at the second record charges the first one twice, and is reported as an invalid signature."
