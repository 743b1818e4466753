#!/usr/bin/env bash
# aws-durable-execution-sdk-python 3.0.0 (testing 1.4.0): context.map() returns a BatchResult with failed(), succeeded(),
# started() and total_count. One would guess that each input is in one of the three, so that failed() and started() are
# what to hand back to SQS. With the default, the first failure ends the map, and an input that had not begun is in none:
# of six with max_concurrency=1, whose second fails, total_count is 2. Four records would be acknowledged unseen.
# Without a limit all six begin, so it shows only once somebody sets one. CompletionConfig.all_completed() gives all six.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install \
    aws-durable-execution-sdk-python==3.0.0 aws-durable-execution-sdk-python-testing==1.4.0

"$folder/env/bin/python" - <<'PROGRAM'
import json
import logging

from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import CompletionConfig, MapConfig
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner

logging.disable()


def handle(context, record, index, records):
    if record == "b":
        raise ValueError(record)
    return record


def mapped(config):
    @durable_execution
    def handler(event, context):
        batch = context.map(event, handle, config=config)
        kinds = (batch.succeeded(), batch.failed(), batch.started(), batch.all)
        return [[event[item.index] for item in items] for items in kinds] + [batch.total_count]

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run(input=json.dumps(list("abcdef")), execution_timeout=60)
    assert result.status.value == "SUCCEEDED", result
    return json.loads(result.result)


all_of_them = MapConfig(max_concurrency=1, completion_config=CompletionConfig.all_completed())
assert mapped(all_of_them) == [list("acdef"), ["b"], [], list("abcdef"), 6]
assert mapped(MapConfig(max_concurrency=1)) == [["a"], ["b"], [], ["a", "b"], 2]
PROGRAM
echo "As seen: of six inputs, one at a time, whose second fails, the result knows two."
