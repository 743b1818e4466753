"""A Lambda Runtime API on 127.0.0.1, for one function: what AWS's runtime client talks to inside the service.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

VERSION = "/2018-06-01/runtime"
UNTRACED = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0"
FUNCTION_ARN = "arn:aws:lambda:eu-central-1:123456789012:function:under-test"


class Ready(NamedTuple):
    """The client asked for its first event: the function's module is loaded.

    Attributes:
        at: when, on the clock of :func:`time.perf_counter`.
    """

    at: float


class Response(NamedTuple):
    """What the function answered to one event.

    Attributes:
        request_id: the invocation that is answered.
        payload: what the function returned, or None where it raised.
        error: the error report (``errorType``, ``errorMessage``, ``stackTrace``), or None where it returned.
        at: when, on the clock of :func:`time.perf_counter`.
    """

    request_id: str
    payload: Any
    error: dict[str, Any] | None
    at: float


class InitError(NamedTuple):
    """The function's module could not be loaded.

    Attributes:
        error: the error report.
    """

    error: dict[str, Any]


class Exited(NamedTuple):
    """The function's process ended.

    Attributes:
        code: its exit code, negative for a signal.
    """

    code: int


Message = Ready | Response | InitError | Exited


class _Event(NamedTuple):
    request_id: str
    body: bytes
    deadline_ms: int


class RuntimeApi:
    """The server. What the client does arrives in ``messages``, in its order.

    Args:
        trace: the X-Ray header of every event.

    Attributes:
        messages: the function's side of the conversation.
    """

    def __init__(self, trace: str = UNTRACED) -> None:
        self.trace = trace
        self.messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[_Event | None] = queue.SimpleQueue()
        self._is_ready = False
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """``host:port``, as ``AWS_LAMBDA_RUNTIME_API`` wants it."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def send(self, event: Any, remaining_ms: int) -> str:
        """Hand an event to the function when it asks for the next one.

        Args:
            event: what JSON can hold.
            remaining_ms: milliseconds until the deadline that the function is told.

        Returns:
            The request id.
        """
        request_id = str(uuid.uuid4())
        self._events.put(_Event(request_id, json.dumps(event).encode(), int(time.time() * 1000) + remaining_ms))
        return request_id

    def close(self) -> None:
        """Let go of a client that is waiting, and end the server."""
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def next_event(self) -> _Event | None:
        """Wait for the next event: for the server's threads."""
        if not self._is_ready:
            self._is_ready = True
            self.messages.put(Ready(time.perf_counter()))
        return self._events.get()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: RuntimeApi

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a connection that was lost: the process at its other end was ended."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # passed on as it came


class _Handler(BaseHTTPRequestHandler):
    """One connection of the client. It keeps the connection, so small packets must leave at once.

    With a buffer flushed after each response and without Nagle's algorithm a warm invocation takes under a millisecond;
    otherwise it takes the 40 ms of a delayed acknowledgement, twice.
    """

    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        if self.path != f"{VERSION}/invocation/next":
            self._reply(404)
            return
        event = self.server.api.next_event()
        if event is None:
            self.close_connection = True
            return
        self._reply(
            200,
            event.body,
            {
                "Lambda-Runtime-Aws-Request-Id": event.request_id,
                "Lambda-Runtime-Deadline-Ms": str(event.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
                "Lambda-Runtime-Trace-Id": self.server.api.trace,
            },
        )

    def do_POST(self) -> None:
        at = time.perf_counter()
        body = json.loads(self._body())
        path = self.path.removeprefix(VERSION).strip("/").split("/")
        if path == ["init", "error"]:
            self._reply(202)
            self.server.api.messages.put(InitError(body))
        elif path[0] == "invocation" and path[2:] == ["response"]:
            self._reply(202)
            self.server.api.messages.put(Response(path[1], body, None, at))
        elif path[0] == "invocation" and path[2:] == ["error"]:
            self._reply(202)
            self.server.api.messages.put(Response(path[1], None, body, at))
        else:
            self._reply(404)

    def _body(self) -> bytes:
        """Read a body of a stated length, or a chunked one: the client sends either."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        chunks: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(chunks)

    def _reply(self, status: int, body: bytes = b"{}", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
        """Say nothing: what went wrong is in the messages."""
