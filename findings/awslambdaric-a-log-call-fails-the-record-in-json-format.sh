#!/usr/bin/env bash
# awslambdaric 4.2.2, AWS's runtime client: `extra` may hold anything, and values that JSON does not know are written as text.
# So one would guess that no log call can fail. A key that JSON does not know, such as the pairs by which a Counter counts,
# raises TypeError, but only where the function's log format is JSON. And the client's handler, unlike Python's own
# ones, lets what formatting raises out of the log call, into the code that logs. A handler that catches per record then
# reports a record as failed after its work is done, and it is done again. On a laptop, in tests and in the text format the
# same line passes. The client runs here against a Runtime API of a few lines on 127.0.0.1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install awslambdaric==4.2.2

cat >"$folder/app.py" <<'PROGRAM'
import logging
from collections import Counter
from decimal import Decimal


def handler(event, context):
    late, failures = Counter(), []
    for record in event["Records"]:
        try:
            if record["late"]:
                late[record["shop"], record["kind"]] += 1
                logging.warning("late", extra={"order": record["messageId"], "late": late})
            else:
                logging.warning("in time", extra={"order": record["messageId"], "price": Decimal("0.10"), "tags": {1, 2}})
        except Exception as error:
            failures.append({"itemIdentifier": f"{record['messageId']}: {type(error).__name__}"})
    return {"batchItemFailures": failures}
PROGRAM

cd "$folder"
env/bin/python - <<'PROGRAM' 2>stderr || { cat stderr >&2; exit 1; }
import json
import logging
import os
import queue
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, ".")
import app

event = {
    "Records": [
        {"messageId": "a", "shop": "north", "kind": "express", "late": False},
        {"messageId": "b", "shop": "north", "kind": "express", "late": True},
    ]
}


class RuntimeApi(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, content=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        self.answer(
            200,
            self.server.events.get(),
            Content_Type="application/json",
            Lambda_Runtime_Aws_Request_Id="1",
            Lambda_Runtime_Deadline_Ms="9999999999999",
            Lambda_Runtime_Invoked_Function_Arn="arn:aws:lambda:eu-west-1:123456789012:function:orders",
        )

    def do_POST(self):
        self.server.answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer(202)


def in_the_client(log_format):
    """Return what the runtime client answers to one event."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi)
    server.daemon_threads = True
    server.events, server.answers = queue.SimpleQueue(), queue.SimpleQueue()
    server.events.put(json.dumps(event).encode())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_LOG_FORMAT": log_format,
        "AWS_LAMBDA_FUNCTION_NAME": "orders",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    }
    client = subprocess.Popen(
        [sys.executable, "-m", "awslambdaric", "app.handler"], env={**os.environ, **settings}, stdout=sys.stderr
    )
    try:
        return server.answers.get(timeout=30)
    finally:
        client.kill()
        client.wait()


logging.basicConfig()
all_well = {"batchItemFailures": []}
assert app.handler(event, None) == all_well
assert in_the_client("TEXT") == all_well
seen = in_the_client("JSON")
assert seen == {"batchItemFailures": [{"itemIdentifier": "b: TypeError"}]}, seen
PROGRAM
echo "As seen: the record whose log line counts by pairs is handled in the text format and fails in the JSON format."
