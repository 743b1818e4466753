#!/usr/bin/env bash
# fastsqs 1.2.0: three handlers await one shared task, here the fetch of a token; the first has a time limit. asyncio.wait_for
# cancels what it waits for, so the first gets TimeoutError and the others CancelledError. One would guess that all three
# records fail. CancelledError is no Exception, and fastsqs counts only those: it answers that the first failed alone, and
# SQS deletes the two others, which no handler has finished. In a FIFO queue it is the whole group of such a record: also
# the messages behind it, which never ran, are acknowledged. Whoever runs records with asyncio must count BaseException.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install fastsqs==1.2.0

"$folder/env/bin/python" - <<'PROGRAM'
import asyncio
import json
import logging

from fastsqs import FastSQS, SQSEvent

logging.disable()


class Order(SQSEvent):
    number: str


def failures(queue, *orders):
    """Return the numbers that the answer names, those whose handler began and those whose handler ended."""
    app = FastSQS()
    began, ended, tokens = [], [], []

    @app.route(Order)
    async def handle(msg: Order):
        began.append(msg.number)
        if not tokens:
            tokens.append(asyncio.ensure_future(asyncio.sleep(60)))
            await asyncio.wait_for(tokens[0], 0.2)
        await tokens[0]
        ended.append(msg.number)

    records = [
        {
            "messageId": number,
            "body": json.dumps({"type": "order", "number": number}),
            "attributes": {"MessageGroupId": group, "MessageDeduplicationId": number},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:eu-west-1:123456789012:{queue}",
        }
        for group, number in orders
    ]
    answer = app.handler({"Records": records}, None)
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]], began, ended


seen = failures("orders", ("", "1"), ("", "2"), ("", "3"))
assert seen == (["1"], ["1", "2", "3"], []), seen
seen = failures("orders.fifo", ("a", "1"), ("a", "2"), ("b", "3"), ("b", "4"), ("b", "5"))
assert seen == (["1", "2"], ["1", "3"], []), seen
PROGRAM
echo "As seen: of three orders that nobody finished one is named; of a FIFO group whose first was cancelled, none."
