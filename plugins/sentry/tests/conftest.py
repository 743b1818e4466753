"""A receiver of Sentry's envelopes on 127.0.0.1, and the SDK that sends to it."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sentry_sdk

PATIENCE_S = 20.0


class Receiver:
    """What Sentry is to the SDK. It keeps what it gets.

    Attributes:
        requests: envelopes that came.
        status: what it answers.
        headers: which headers with it.
        delay_s: how long it takes.
    """

    def __init__(self) -> None:
        self.items: list[tuple[str, Any]] = []
        self.requests = 0
        self.status = 200
        self.headers: dict[str, str] = {}
        self.delay_s = 0.0
        self.may_answer = threading.Event()
        self.may_answer.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests += 1
                receiver.may_answer.wait(PATIENCE_S)
                time.sleep(receiver.delay_s)
                if receiver.status == 200:
                    receiver.items += parsed(gzip.decompress(body) if self.headers["Content-Encoding"] else body)
                self.send_response(receiver.status)
                for name, value in {"Content-Length": "2", **receiver.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *arguments: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # the SDK has gone: a test that has ended

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def dsn(self) -> str:
        return f"http://key@127.0.0.1:{self._server.server_address[1]}/7"

    def of(self, kind: str) -> list[Any]:
        """The payloads of one kind of items. What is still on its way is waited for: a busy machine may be slow."""
        if self.may_answer.is_set():
            sentry_sdk.flush(timeout=PATIENCE_S)
        return [payload for found, payload in self.items if found == kind]

    @property
    def events(self) -> list[dict[str, Any]]:
        return self.of("event")

    @property
    def transactions(self) -> list[dict[str, Any]]:
        return self.of("transaction")

    @property
    def text(self) -> str:
        """Everything that came, as text."""
        return json.dumps(self.items)

    def close(self) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def parsed(envelope: bytes) -> Iterator[tuple[str, Any]]:
    """Give the items of an envelope: https://develop.sentry.dev/sdk/data-model/envelopes/."""
    _, _, rest = envelope.partition(b"\n")
    while rest:
        header, _, rest = rest.partition(b"\n")
        fields = json.loads(header)
        length = fields.get("length")
        payload, rest = (rest[:length], rest[length:]) if length is not None else rest.split(b"\n", 1)
        rest = rest.removeprefix(b"\n")
        yield fields["type"], json.loads(payload)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def init(receiver: Receiver) -> Iterator[Callable[..., None]]:
    """Initialise the SDK, and leave the process without a client after the test."""

    def init(**options: Any) -> None:
        sentry_sdk.init(**{"dsn": receiver.dsn, **options})

    before = sentry_sdk.get_global_scope().client
    yield init
    client = sentry_sdk.get_client()
    client.close(timeout=0)
    sentry_sdk.get_global_scope().set_client(before)
    for scope in (sentry_sdk.get_isolation_scope(), sentry_sdk.get_current_scope()):
        scope.clear()


@pytest.fixture
def sentry(init: Callable[..., None], receiver: Receiver) -> Receiver:
    """A receiver that the SDK sends to, initialised as most functions do."""
    init()
    return receiver
