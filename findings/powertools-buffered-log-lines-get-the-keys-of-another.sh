#!/usr/bin/env bash
# aws-lambda-powertools 3.37.0, Logger with a buffer: debug lines are kept, and written when an error is logged. One would
# guess that a line is written as it was logged. But what is kept is its message and its own fields: keys that were
# appended are read when the buffer is flushed. In a loop over records, each line that was buffered has the key of the record
# whose error flushed it, whichever of the three ways appended it. The order id on the line says another order.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install aws-lambda-powertools==3.37.0

cd "$folder"
_X_AMZN_TRACE_ID="Root=1-5759e988-bd862e3fe1be46a994272793" env/bin/python - <<'PROGRAM'
import io
import json
from contextlib import nullcontext

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.buffer import LoggerBufferConfig


def orders_on_lines(way, **options):
    """Return, of each line in the order of the log, the order it is about and the order that its key says."""
    stream = io.StringIO()
    log = Logger(service=f"{way} {options}", stream=stream, level="DEBUG", **options)
    for order in ("a", "b"):
        append = getattr(log, way)
        with append(order=order) or nullcontext():
            log.debug("looking", about=order)
            if order == "b":
                log.error("failed", about=order)
    log.thread_safe_clear_keys()
    lines = map(json.loads, stream.getvalue().splitlines())
    return [(line["about"], line.get("order")) for line in lines]


for way in ("append_keys", "append_context_keys", "thread_safe_append_keys"):
    assert orders_on_lines(way) == [("a", "a"), ("b", "b"), ("b", "b")], way
    seen = orders_on_lines(way, buffer_config=LoggerBufferConfig())
    assert seen == [("a", "b"), ("b", "b"), ("b", "b")], seen
PROGRAM
echo "As seen: a line that was buffered has the key of the order at which the buffer was flushed, in all three ways."
