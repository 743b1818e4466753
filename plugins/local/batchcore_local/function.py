"""A function, invoked as Lambda invokes it: JSON in, a context, JSON out, and every way to end."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias

from batchcore_local.errors import FunctionNotFoundError

Handler: TypeAlias = Callable[[Any, Any], Any]
"""What a user writes: it takes an event and a context, and returns a response."""

Clock: TypeAlias = Callable[[], float]
"""Seconds since some fixed moment."""


class LocalContext:
    """The context of one invocation, with what the Lambda runtime for Python gives.

    Args:
        function_name: the function's name.
        memory_mb: its memory size in megabytes.
        deadline: when the invocation must have ended, in seconds of ``clock``.
        clock: what tells the time.
    """

    def __init__(self, function_name: str, memory_mb: int, deadline: float, clock: Clock) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self.function_name = function_name
        self.function_version = "$LATEST"
        self.invoked_function_arn = f"arn:aws:lambda:us-east-1:123456789012:function:{function_name}"
        self.memory_limit_in_mb = str(memory_mb)
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = f"local/[$LATEST]{self.aws_request_id.replace('-', '')}"
        self.identity = None
        self.client_context = None
        self._deadline = deadline
        self._clock = clock

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's timeout, never less than 0."""
        return max(0, int((self._deadline - self._clock()) * 1000))


class Invocation(NamedTuple):
    """How one invocation ended.

    Attributes:
        payload: the response as JSON; empty when the function failed.
        error: what the function failed with, on one line; None when it answered.
    """

    payload: bytes
    error: str | None = None


class LocalFunction:
    """One function on this machine.

    Args:
        handler: what to call with each event.
        name: the function's name.
        timeout: seconds one invocation may take. A longer one is not interrupted, but counts as failed when it ends.
        memory_mb: the memory size the function is told, in megabytes. Nothing enforces it.
        environment: variables that are set while the function runs, and put back after.
        clock: what tells the time.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        name: str = "function",
        timeout: float = 30.0,
        memory_mb: int = 128,
        environment: Mapping[str, str] | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.handler = handler
        self.name = name
        self.timeout = timeout
        self.memory_mb = memory_mb
        self.environment = {
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
            **(environment or {}),
        }
        self._clock = clock

    def invoke(self, event: Mapping[str, Any]) -> Invocation:
        """Invoke the function once.

        The event reaches the handler as a copy made through JSON, and the response leaves it as JSON, as on Lambda:
        what is not serialisable is an error of the function.

        Args:
            event: the event, of plain JSON values.

        Returns:
            The response, or the error. Whatever the handler raises is an error of the function, except
            ``KeyboardInterrupt``, which ends the program.
        """
        deadline = self._clock() + self.timeout
        context = LocalContext(self.name, self.memory_mb, deadline, self._clock)
        copied = json.loads(json.dumps(event))
        try:
            with environment(self.environment):
                payload = _to_json(self.handler(copied, context))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too: on Lambda it ends the runtime
            return Invocation(b"", _one_line(error))
        if self._clock() > deadline:
            return Invocation(b"", f"Task timed out after {self.timeout:.2f} seconds")
        return Invocation(payload)


def _to_json(response: object) -> bytes:
    # The runtime for Python hands bytes on as they are.
    return response if isinstance(response, bytes) else json.dumps(response, default=_decimal).encode()


def _decimal(value: object) -> float:
    if isinstance(value, Decimal):  # the one type beyond JSON's own that the runtime serialises
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _one_line(error: BaseException) -> str:
    first, _, _ = str(error).partition("\n")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


@contextmanager
def environment(variables: Mapping[str, str | None]) -> Generator[None, None, None]:
    """Hold environment variables of this process for the length of a block, then put back what was there.

    Args:
        variables: the variables to set; None removes one.
    """
    before = {name: os.environ.get(name) for name in variables}
    _set_variables(variables)
    try:
        yield
    finally:
        _set_variables(before)


def _set_variables(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def load_handler(target: str) -> Handler:
    """Load the handler that a text names.

    Args:
        target: ``path/to/file.py:name`` or ``package.module:name``. A file can import its
            neighbours, as in Lambda's task root.

    Returns:
        The handler.

    Raises:
        FunctionNotFoundError: when there is no such file, module or name, or its import fails.
    """
    location, _, name = target.rpartition(":")
    if not location or not name:
        raise FunctionNotFoundError(f"{target!r} names no function; write path/to/file.py:name or package.module:name.")
    is_file = location.endswith(".py")
    if is_file and not Path(location).is_file():
        raise FunctionNotFoundError(f"There is no file {location!r} here to load {name!r} from.")
    try:
        module = _import_file(Path(location).resolve()) if is_file else importlib.import_module(location)
    except Exception as error:
        raise FunctionNotFoundError(f"{location!r} cannot be imported: {_one_line(error)}") from error
    handler: Handler | None = getattr(module, name, None)
    if not callable(handler):
        raise FunctionNotFoundError(f"{location!r} has no function {name!r}.")
    return handler


def _import_file(path: Path) -> ModuleType:
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]  # a half-made module is no one's
        raise
    return module
