"""One Lambda function in a process of its own: AWS's runtime client, and the Runtime API it talks to."""

from __future__ import annotations

import os
import queue
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .api import FUNCTION_ARN, UNTRACED, Exited, InitError, Message, Ready, Response, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

PATIENCE_S = 30.0
"""How long to wait for the function before the test gives up on it. A working function answers in milliseconds."""


class FunctionError(Exception):
    """The function did something other than what was asked for.

    Attributes:
        message: what it did, as the Runtime API saw it; None where it did nothing in time.
        output: what its process printed.
    """

    def __init__(self, text: str, message: Message | None, output: str) -> None:
        super().__init__(f"{text}\n{output}".rstrip())
        self.message = message
        self.output = output


class LambdaFunction:
    """A function, started when this is made. A context manager: its process ends with the block.

    Args:
        handler: ``module.function``, as in a Lambda configuration.
        folder: where the module is; the process works there.
        python: the interpreter. It must have ``awslambdaric``.
        environment: variables on top of those of ``base_environment``.
        base_environment: the variables of the process; by default those of this one.
        options: the interpreter's own options.
        trace: the X-Ray header of every event.
    """

    def __init__(
        self,
        handler: str,
        folder: Path,
        python: str | Path,
        environment: Mapping[str, str] | None = None,
        base_environment: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        trace: str = UNTRACED,
    ) -> None:
        self._api = RuntimeApi(trace)
        # A file and not a pipe: a pipe that nobody reads would stop the function after 64 KiB of logs.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the function runs
        self._ready_at: float | None = None
        self.started_at = time.perf_counter()
        self._process = subprocess.Popen(
            [str(python), *options, "-m", "awslambdaric", handler],
            cwd=folder,
            env={
                **(os.environ if base_environment is None else base_environment),
                "AWS_LAMBDA_RUNTIME_API": self._api.address,
                "AWS_LAMBDA_FUNCTION_NAME": FUNCTION_ARN.rpartition(":")[2],
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_REGION": "eu-central-1",
                "LAMBDA_TASK_ROOT": str(folder),
                **(environment or {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        self._api.messages.put(Exited(self._process.wait()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def output(self) -> str:
        """What the process has printed so far."""
        # Read at a position of its own: the process writes at the one that seek() would move.
        descriptor = self._output.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def trace(self, header: str) -> None:
        """Give the events that are sent from now on another X-Ray header."""
        self._api.trace = header

    @property
    def process_id(self) -> int:
        """The id of the process."""
        return self._process.pid

    def ready(self) -> float:
        """Wait until the function's module is loaded.

        Returns:
            When that was, on the clock of :func:`time.perf_counter`.

        Raises:
            FunctionError: it did not come to that.
        """
        if self._ready_at is None:
            message = self._next()
            if not isinstance(message, Ready):
                raise self._failed("The function was not loaded", message)
            self._ready_at = message.at
        return self._ready_at

    def init_error(self) -> dict[str, Any]:
        """Wait for the report that the function's module could not be loaded.

        Raises:
            FunctionError: it was loaded, or its process ended without a report.
        """
        message = self._next()
        if not isinstance(message, InitError):
            raise self._failed("The function gave no report of an init error", message)
        return message.error

    def response(self, event: Any, remaining_ms: int = 30_000) -> Response:
        """Send an event and wait for the response: a payload or an error report.

        Raises:
            FunctionError: there was no response.
        """
        self.ready()
        request_id = self._api.send(event, remaining_ms)
        message = self._next()
        if not isinstance(message, Response) or message.request_id != request_id:
            raise self._failed("The function did not answer", message)
        return message

    def invoke(self, event: Any, remaining_ms: int = 30_000) -> Any:
        """Send an event and give what the function returned.

        Raises:
            FunctionError: the function raised, or did not answer.
        """
        response = self.response(event, remaining_ms)
        if response.error is not None:
            raise self._failed("The function raised", response)
        return response.payload

    def error(self, event: Any, remaining_ms: int = 30_000) -> dict[str, Any]:
        """Send an event and give the error report.

        Raises:
            FunctionError: the function returned, or did not answer.
        """
        response = self.response(event, remaining_ms)
        if response.error is None:
            raise self._failed("The function returned", response)
        return response.error

    def _next(self) -> Message | None:
        try:
            return self._api.messages.get(timeout=PATIENCE_S)
        except queue.Empty:
            return None

    def _failed(self, text: str, message: Message | None) -> FunctionError:
        seen = f"nothing happened in {PATIENCE_S:.0f} s" if message is None else repr(message)
        return FunctionError(f"{text}: {seen}", message, self.output)

    def close(self) -> None:
        """End the process and the server."""
        # The client of a released Runtime API would report a lost connection, so the process ends first.
        self._process.kill()
        self._process.wait()
        self._api.close()
        self._output.close()
