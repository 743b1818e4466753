#!/usr/bin/env bash
# sentry-sdk 2.75.0: events wait in a queue of 100 for one thread that sends them one by one. What is captured while the
# queue is full is dropped, without a word. A thousand failures of one batch, captured one after the other, are a hundred
# events and a few, though the receiver answers each within 20 ms. flush() tells nothing of it, and gives up after 2 s by
# default. Whoever may fail often at once must group what is equal before it is captured.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install sentry-sdk==2.75.0

"$folder/env/bin/python" - <<'PROGRAM'
import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import sentry_sdk

arrived = []


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
        if b'"type":"event"' in body:
            arrived.append(body)
        time.sleep(0.02)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
sentry_sdk.init(dsn=f"http://key@127.0.0.1:{server.server_address[1]}/1")
captured = 0
for number in range(1000):
    try:
        raise ValueError(number)
    except ValueError as error:
        captured += sentry_sdk.capture_exception(error) is not None
sentry_sdk.flush(timeout=60)  # time for far more than are left
print(f"{captured} captured, {len(arrived)} arrived")
assert captured == 1000  # each has an id, as if it were sent
assert len(arrived) < 600
PROGRAM
echo "As seen: every capture gave an id, and most events never left."
