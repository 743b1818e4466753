#!/usr/bin/env bash
# aws-lambda-powertools 3.37.0: single_metric() and EphemeralMetrics share nothing, so one would use them in threads. They
# share the standard output: print() writes a document and the end of its line in two pieces, and another thread's document
# comes between. Some in a thousand lines hold two documents, which is no JSON, so both are lost to CloudWatch, without a word.
# A lock round each, or one write of document and end together, and every line is a document.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install aws-lambda-powertools==3.37.0

cat > "$folder/program.py" <<'PROGRAM'
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import Lock

from aws_lambda_powertools import single_metric

guard = Lock() if sys.argv[1] == "guarded" else nullcontext()


def count(number):
    with guard, single_metric(name="Met", unit="Count", value=1, namespace="Orders") as metric:
        metric.add_dimension(name="number", value=str(number))


with ThreadPoolExecutor(8) as pool:
    list(pool.map(count, range(20_000)))
PROGRAM
"$folder/env/bin/python" "$folder/program.py" alone > "$folder/alone"
"$folder/env/bin/python" "$folder/program.py" guarded > "$folder/guarded"
"$folder/env/bin/python" - "$folder/alone" "$folder/guarded" <<'PROGRAM'
import json
import sys


def documents(path):
    found = 0
    for line in open(path):
        try:
            found += json.loads(line)["Met"] == [1.0]
        except ValueError:
            pass
    return found


alone, guarded = map(documents, sys.argv[1:])
assert guarded == 20_000, guarded
assert alone < 20_000, alone
print(f"{20_000 - alone} of 20,000 metrics are lost")
PROGRAM
echo "As seen: metrics of threads that share nothing but the output are lost, and none is with a lock."
