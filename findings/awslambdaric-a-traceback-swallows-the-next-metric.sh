#!/usr/bin/env bash
# awslambdaric 4.2.2, AWS's runtime client: each log line ends with a newline, so what a function prints next is a line of
# its own, and CloudWatch reads a metric in the embedded format out of a line that is one JSON object. But the newline is
# in the client's format, before the traceback, and its handler adds none: after logger.exception() the line is still open
# where the client writes to standard output (it was given no descriptor for its log). The metric that is printed next,
# by Powertools' Metrics say, is the end of the traceback's last line, and is lost; just where something failed. In the
# JSON log format it is not. A newline before the document mends it.
# The client runs here against a Runtime API of a few lines on 127.0.0.1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install awslambdaric==4.2.2 aws-lambda-powertools==3.37.0

cat >"$folder/app.py" <<'PROGRAM'
import logging

from aws_lambda_powertools import Metrics

metrics = Metrics(namespace="Shop", service="orders")


@metrics.log_metrics
def handler(event, context):
    try:
        int(event["quantity"])
    except ValueError:
        if event["logs"] == "traceback":
            logging.exception("no quantity")
        else:
            logging.error("no quantity")
    metrics.add_metric(name="Orders", unit="Count", value=1)
PROGRAM

cd "$folder"
env/bin/python - <<'PROGRAM' 2>stderr || { cat stderr >&2; exit 1; }
import json
import os
import queue
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


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
        self.server.answers.put(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(202)


def metrics_read(logs, log_format):
    """Return how many lines of the function's output are documents of metrics, and how many have one in them."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), RuntimeApi)
    server.daemon_threads = True
    server.events, server.answers = queue.SimpleQueue(), queue.SimpleQueue()
    server.events.put(json.dumps({"quantity": "two", "logs": logs}).encode())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_LOG_FORMAT": log_format,
        "AWS_LAMBDA_FUNCTION_NAME": "orders",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    }
    command = [sys.executable, "-m", "awslambdaric", "app.handler"]
    with open("output", "w+") as output:
        client = subprocess.Popen(command, env={**os.environ, **settings}, stdout=output, stderr=subprocess.DEVNULL)
        try:
            server.answers.get(timeout=30)
        finally:
            client.kill()
            client.wait()
        output.seek(0)
        with_metrics = [line for line in output if "CloudWatchMetrics" in line]
    return sum(line.startswith("{") for line in with_metrics), len(with_metrics)


assert metrics_read("message", "TEXT") == (1, 1)
assert metrics_read("traceback", "JSON") == (1, 1)
seen = metrics_read("traceback", "TEXT")
assert seen == (0, 1), seen
PROGRAM
echo "As seen: a metric printed after a logged traceback is no line of its own in the text format, and one after a message is."
