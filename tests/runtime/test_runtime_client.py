"""A function on batchcore inside AWS's own runtime client: what the Lambda service would see of it."""

from __future__ import annotations

import socketserver
import threading
from typing import TYPE_CHECKING, Any

import pytest

from .api import Exited
from .events import dynamodb_event, failed, sqs_event
from .function import FunctionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import StartFunction

WORKS = {"does": "work"}
FAILS = {"does": "fail", "item": "tea"}


def test_a_cold_and_a_warm_invocation_are_answered_by_one_process(start: StartFunction) -> None:
    function = start("shop.lambda_handler")
    assert function.invoke(sqs_event(a=WORKS, b=WORKS)) == failed()
    assert function.invoke(sqs_event(c=WORKS)) == failed()


def test_a_partial_failure_is_answered_with_the_failed_messages_alone(start: StartFunction) -> None:
    function = start("shop.lambda_handler")
    assert function.invoke(sqs_event(a=WORKS, b=FAILS, c="no JSON", d=WORKS)) == failed("b", "c")


def test_nothing_of_a_failed_batch_is_left_in_the_response_to_the_next(start: StartFunction) -> None:
    function = start("shop.lambda_handler")
    function.invoke(sqs_event(a=FAILS, b=WORKS))
    function.error(sqs_event(a=FAILS))
    assert function.invoke(sqs_event(c=WORKS)) == failed()


def test_a_batch_that_failed_entirely_becomes_an_error_report_that_says_why(start: StartFunction) -> None:
    report = start("shop.lambda_handler").error(sqs_event(a=FAILS, b=FAILS, c="no JSON"))
    assert report["errorType"] == "BatchProcessingError"
    assert report["errorMessage"].startswith("All records failed processing.")
    assert "OutOfStockError: no tea left" in report["errorMessage"]


def test_a_failed_record_is_logged_with_its_message_id_and_its_traceback(start: StartFunction) -> None:
    function = start("shop.lambda_handler")
    function.invoke(sqs_event(first=FAILS, second=WORKS))
    assert "first" in function.output
    assert "OutOfStockError: no tea left" in function.output
    assert "Traceback" in function.output
    assert "second" not in function.output


def test_an_event_without_records_in_it_is_a_success(start: StartFunction) -> None:
    assert start("shop.lambda_handler").invoke({"Records": []}) == failed()


@pytest.mark.parametrize("event", [dynamodb_event(), {}, {"Records": None}, {"detail": {}}])
def test_an_event_of_another_source_is_an_error_and_not_a_success(start: StartFunction, event: Any) -> None:
    assert start("shop.lambda_handler").error(event)["errorType"] == "UnexpectedBatchTypeError"


def test_the_lambda_context_that_is_injected_is_the_runtime_s_own(start: StartFunction) -> None:
    function = start("shop.lambda_handler")
    event = sqs_event(a={"does": "need time", "ms": 60_000}, b=WORKS)
    assert function.invoke(event, remaining_ms=900_000) == failed()
    assert function.invoke(event, remaining_ms=30_000) == failed("a")


def test_a_record_that_asks_to_exit_fails_and_the_process_stays(start: StartFunction) -> None:
    function = start("shop.lambda_handler")
    assert function.invoke(sqs_event(a={"does": "exit"}, b=WORKS)) == failed("a")
    assert function.invoke(sqs_event(c=WORKS)) == failed()


def test_a_function_that_prints_much_is_not_held_up(start: StartFunction) -> None:
    assert start("shop.lambda_handler").invoke(sqs_event(a={"does": "print", "characters": 1_000_000})) == failed()


def test_a_process_that_ends_without_a_response_is_seen_as_that(start: StartFunction) -> None:
    with pytest.raises(FunctionError) as failure:
        start("leaves.lambda_handler").response({"code": 7})
    assert failure.value.message == Exited(7)


def test_a_package_that_is_missing_is_reported_when_the_function_is_loaded(start: StartFunction) -> None:
    report = start("missing_package.lambda_handler").init_error()
    assert report["errorType"] == "Runtime.ImportModuleError"
    assert "a_package_that_nobody_installed" in report["errorMessage"]


def test_a_plugin_that_cannot_be_loaded_is_reported_when_the_function_is_loaded(start: StartFunction) -> None:
    report = start("shop.lambda_handler", BATCHCORE_PLUGINS="a_plugin_that_nobody_installed").init_error()
    assert report["errorType"] == "PluginLoadError"
    assert "a_plugin_that_nobody_installed" in report["errorMessage"]


def test_a_source_that_is_not_installed_is_an_error_that_says_what_is(start: StartFunction) -> None:
    report = start("unknown_source.lambda_handler").init_error()
    assert report["errorType"] == "SourceNotInstalledError"
    assert "No source named 'no-such-source' is installed" in report["errorMessage"]
    assert "Installed: " in report["errorMessage"]
    assert "pip install" not in report["errorMessage"]


class _EchoServer(socketserver.ThreadingTCPServer):
    """Sends each line back, and remembers connections and lines."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echo)
        self.connections = 0
        self.lines: list[str] = []

    @property
    def address(self) -> str:
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"


class _Echo(socketserver.StreamRequestHandler):
    server: _EchoServer

    def handle(self) -> None:
        self.server.connections += 1
        for line in self.rfile:
            self.server.lines.append(line.decode().strip())
            self.wfile.write(line)


@pytest.fixture
def echo_server() -> Iterator[_EchoServer]:
    with _EchoServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_connection_of_an_async_function_survives_to_the_next_invocation(
    start: StartFunction, echo_server: _EchoServer
) -> None:
    function = start("pool.lambda_handler", ECHO_SERVER=echo_server.address)
    assert function.invoke(sqs_event(a="one", b="two")) == failed()
    assert function.invoke(sqs_event(c="three", d="four")) == failed()
    assert sorted(echo_server.lines) == ["four", "one", "three", "two"]
    assert echo_server.connections == 1
