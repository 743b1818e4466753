"""A local function is invoked as Lambda invokes it."""

from __future__ import annotations

import json
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from batchcore_local import FunctionNotFoundError, LocalContext, LocalFunction, load_handler

EVENT = {"Records": [{"body": "x"}]}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def invoke(response: Any) -> Any:
    return LocalFunction(lambda event, context: response).invoke(EVENT)


@pytest.mark.parametrize("response", [None, {}, {"batchItemFailures": [{"itemIdentifier": "1"}]}, "text", [1]])
def test_a_response_leaves_the_function_as_json(response: Any) -> None:
    payload, error = invoke(response)
    assert error is None
    assert json.loads(payload) == response


def test_a_decimal_is_serialised_as_the_runtime_does() -> None:
    assert json.loads(invoke({"total": Decimal("1.5")}).payload) == {"total": 1.5}


def test_bytes_are_handed_on_as_they_are() -> None:
    assert invoke(b'{"batchItemFailures": []}') == (b'{"batchItemFailures": []}', None)


def test_a_response_that_is_not_serialisable_is_an_error() -> None:
    payload, error = invoke({"batchItemFailures": [{"itemIdentifier": {1, 2}}]})
    assert payload == b""
    assert error == "TypeError: Object of type set is not JSON serializable"


@pytest.mark.parametrize("raised", [ValueError("no\nmore lines"), SystemExit("no"), AssertionError("no")])
def test_whatever_the_handler_raises_is_an_error_on_one_line(raised: BaseException) -> None:
    def handler(event: Any, context: Any) -> None:
        raise raised

    assert LocalFunction(handler).invoke(EVENT) == (b"", f"{type(raised).__name__}: no")


def test_an_interrupt_ends_the_program() -> None:
    def handler(event: Any, context: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        LocalFunction(handler).invoke(EVENT)


def test_the_handler_gets_a_copy_of_the_event() -> None:
    def handler(event: Any, context: Any) -> None:
        event["Records"][0]["body"] = "changed"

    LocalFunction(handler).invoke(EVENT)
    assert EVENT == {"Records": [{"body": "x"}]}


def test_the_context_says_what_lambda_says() -> None:
    seen: list[LocalContext] = []
    function = LocalFunction(lambda event, context: seen.append(context), name="orders", timeout=3, memory_mb=512)
    function.invoke(EVENT)
    function.invoke(EVENT)
    first, second = seen
    assert first.function_name == "orders"
    assert first.function_version == "$LATEST"
    assert first.invoked_function_arn.endswith(":function:orders")
    assert first.memory_limit_in_mb == "512"
    assert first.log_group_name == "/aws/lambda/orders"
    assert first.aws_request_id != second.aws_request_id


def test_the_context_counts_the_remaining_time_down_to_nothing() -> None:
    clock, seen = Clock(), list[int]()

    def handler(event: Any, context: LocalContext) -> None:
        seen.append(context.get_remaining_time_in_millis())
        clock.now += 2.5
        seen.append(context.get_remaining_time_in_millis())
        clock.now += 10
        seen.append(context.get_remaining_time_in_millis())

    LocalFunction(handler, timeout=3, clock=clock).invoke(EVENT)
    assert seen == [3000, 500, 0]


def test_a_response_after_the_timeout_is_an_error() -> None:
    clock = Clock()

    def handler(event: Any, context: Any) -> dict[str, Any]:
        clock.now += 3.1
        return {"batchItemFailures": []}

    assert LocalFunction(handler, timeout=3, clock=clock).invoke(EVENT).error == "Task timed out after 3.00 seconds"


def test_the_environment_is_the_functions_while_it_runs_and_restored_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "before")
    monkeypatch.delenv("ADDED", raising=False)
    seen: dict[str, str | None] = {}

    def handler(event: Any, context: Any) -> None:
        seen.update({name: os.environ.get(name) for name in ("KEPT", "ADDED", "AWS_LAMBDA_FUNCTION_NAME")})
        raise ValueError

    LocalFunction(handler, name="orders", environment={"KEPT": "within", "ADDED": "yes"}).invoke(EVENT)
    assert seen == {"KEPT": "within", "ADDED": "yes", "AWS_LAMBDA_FUNCTION_NAME": "orders"}
    assert os.environ["KEPT"] == "before"
    assert "ADDED" not in os.environ


def test_a_handler_is_loaded_from_a_file_which_can_import_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "local_neighbour.py").write_text("ANSWER = 42\n")
    app = tmp_path / "local_app.py"
    app.write_text("from local_neighbour import ANSWER\n\ndef handler(event, context):\n    return ANSWER\n")
    assert load_handler(f"{app}:handler")(None, None) == 42


def test_a_handler_is_loaded_from_a_module() -> None:
    assert load_handler("json:dumps") is json.dumps


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("app.py", "names no function"),
        ("app.py:", "names no function"),
        ("missing.py:handler", "no file 'missing.py'"),
        ("missing_module_of_no_one:handler", "cannot be imported: ModuleNotFoundError"),
        ("json:missing", "no function 'missing'"),
        ("json:__name__", "no function '__name__'"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_an_error_that_says_why(target: str, says: str) -> None:
    with pytest.raises(FunctionNotFoundError, match=says):
        load_handler(target)


def test_a_file_whose_import_fails_is_an_error_with_its_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    app = tmp_path / "local_broken_app.py"
    app.write_text("raise RuntimeError('no database')\n")
    with pytest.raises(FunctionNotFoundError, match="RuntimeError: no database") as caught:
        load_handler(f"{app}:handler")
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert "local_broken_app" not in sys.modules
