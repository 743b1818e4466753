#!/usr/bin/env bash
# sentry-sdk 2.75.0: the SDK leaves the requests that send its events out of traces: it compares the host of a request with
# the DSN's. The DSN's has the port, the request's has none, so for a DSN that names a port (a Relay, a Sentry of one's own,
# a receiver in a test) they are never equal, and a transaction has a span "http.client" for each event that is sent while
# it is open. Without a port, as at sentry.io, there is none.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install sentry-sdk==2.75.0

"$folder/env/bin/python" - <<'PROGRAM'
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import sentry_sdk

spans = []


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
        for line in body.splitlines():
            payload = json.loads(line)
            spans.extend(payload.get("spans") or [])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
sentry_sdk.init(dsn=f"http://key@127.0.0.1:{server.server_address[1]}/1", traces_sample_rate=1.0)
with sentry_sdk.start_transaction(name="work"):
    sentry_sdk.capture_message("odd")
    sentry_sdk.flush()
sentry_sdk.flush()
(span,) = spans
print(span["op"], span["description"])
assert span["op"] == "http.client" and span["description"].endswith("/api/1/envelope/")
PROGRAM
echo "As seen: the request that sent an event is a span of the transaction."
