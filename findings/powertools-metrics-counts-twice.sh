#!/usr/bin/env bash
# aws-lambda-powertools 3.37.0: Metrics.add_metric() from several threads. At every hundredth value it prints what it has and
# begins anew; nothing keeps two threads from doing so at once, so a thousand counts of one are up to some hundreds more in
# CloudWatch. From one thread, or with a lock round it, they are a thousand.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install aws-lambda-powertools==3.37.0

"$folder/env/bin/python" -W ignore - <<'PROGRAM'
import contextlib
import io
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from aws_lambda_powertools import Metrics

sys.setswitchinterval(1e-6)  # two at once are as rare otherwise as threads are few


def counted(guard):
    """Return what CloudWatch adds up of a thousand metrics of the value one."""
    metrics = Metrics(namespace="Orders", service="orders")

    def count(_):
        with guard:
            metrics.add_metric(name="Met", unit="Count", value=1)

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(count, range(1_000)))
        metrics.flush_metrics()
    lines = printed.getvalue().replace("}{", "}\n{").split("\n")
    return sum(sum(json.loads(line)["Met"]) for line in lines if line)


assert {counted(Lock()) for _ in range(50)} == {1_000}
most = max(counted(contextlib.nullcontext()) for _ in range(200))
assert most > 1_000, most
print(f"1,000 metrics count as up to {most:.0f}")
PROGRAM
echo "As seen: metrics that eight threads add count more than there were, and as many with a lock."
