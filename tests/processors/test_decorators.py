"""The legacy decorators, also stacked under other decorators."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    ConfigurationError,
    UnexpectedBatchTypeError,
    async_batch_processor,
    batch_processor,
)
from tests.batches import awaiting, batch_of, failed, handle

KINDS: dict[str, tuple[Callable[..., Any], Callable[[], BatchProcessor], Any, str]] = {
    "sync": (batch_processor, lambda: BatchProcessor("sqs"), handle, "process_partial_response"),
    "async": (
        async_batch_processor,
        lambda: AsyncBatchProcessor("sqs"),
        awaiting(handle),
        "async_process_partial_response",
    ),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> tuple[Callable[..., Any], BatchProcessor, Any]:
    decorate, make, handler, _ = KINDS[request.param]
    return decorate, make(), handler


def decorated(decorate: Callable[..., Any], handler: Any, processor: Any, function: Callable[..., Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return decorate(record_handler=handler, processor=processor)(function)


@pytest.mark.parametrize("name", KINDS)
def test_use_is_deprecated_at_the_users_own_line(name: str) -> None:
    decorate, make, handler, instead = KINDS[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")

        @decorate(record_handler=handler, processor=make())  # this line
        def lambda_handler(event: Any, context: Any) -> None:
            """Do nothing."""

    (warning,) = caught
    assert warning.category is DeprecationWarning
    assert str(warning.message) == f"{decorate.__name__} is deprecated; use {instead}()."
    assert warning.filename == __file__
    assert "# this line" in Path(__file__).read_text().splitlines()[warning.lineno - 1]


def test_nothing_is_deprecated_when_the_function_is_called(kind: Any) -> None:
    decorate, processor, handler = kind
    function = decorated(decorate, handler, processor, lambda event, context: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert failed(function(batch_of("a", "bad"), None)) == ["m1"]


def test_batch_is_processed_before_the_function_runs_and_its_response_is_returned(kind: Any) -> None:
    decorate, processor, handler = kind
    seen: list[Any] = []

    def lambda_handler(event: Any, context: Any) -> Any:
        seen.append((len(event["Records"]), context, failed(processor.response())))
        return processor.response()

    function = decorated(decorate, handler, processor, lambda_handler)
    assert failed(function(batch_of("a", "bad", "c"), "context")) == ["m1"]
    assert seen == [(3, "context", ["m1"])]


def test_function_that_returns_nothing_answers_with_what_failed(kind: Any) -> None:
    decorate, processor, handler = kind
    function = decorated(decorate, handler, processor, lambda event, context: None)
    assert failed(function(batch_of("a", "bad"), None)) == ["m1"]


@pytest.mark.parametrize("own", [{}, "", 0, {"batchItemFailures": [], "state": {}}])
def test_what_a_function_returns_is_its_own(kind: Any, own: Any) -> None:
    decorate, processor, handler = kind
    function = decorated(decorate, handler, processor, lambda event, context: own)
    assert function(batch_of("a", "b"), None) is own


def test_it_may_stand_under_and_over_other_decorators(kind: Any) -> None:
    decorate, processor, handler = kind
    log: list[str] = []

    def logging(function: Any) -> Any:
        @functools.wraps(function)
        def logged(*arguments: Any, **named: Any) -> Any:
            log.append("in")
            try:
                return function(*arguments, **named)
            finally:
                log.append("out")

        return logged

    def lambda_handler(event: Any, context: Any) -> Any:
        log.append("handler")
        return processor.response()

    outside = logging(decorated(decorate, handler, processor, lambda_handler))
    assert failed(outside(batch_of("a", "bad"), None)) == ["m1"]
    inside = decorated(decorate, handler, processor, logging(lambda_handler))
    assert failed(inside(batch_of("bad", "b"), context=None)) == ["m0"]
    assert log == ["in", "handler", "out"] * 2
    assert inside.__name__ == outside.__name__ == "lambda_handler"


def test_function_may_be_called_by_name_and_without_a_context(kind: Any) -> None:
    decorate, processor, handler = kind
    function = decorated(decorate, handler, processor, lambda event, context: context)
    assert function(event=batch_of("a"), context=1) == 1
    assert failed(function(batch_of("a", "bad"))) == ["m1"]


def test_further_arguments_reach_the_function(kind: Any) -> None:
    decorate, processor, handler = kind
    function = decorated(decorate, handler, processor, lambda event, context, *more, **named: (more, named))
    assert function(batch_of("a"), None, 1, two=2) == ((1,), {"two": 2})


def test_exception_of_the_function_is_its_own(kind: Any) -> None:
    def lambda_handler(event: Any, context: Any) -> None:
        raise LookupError

    decorate, processor, handler = kind
    with pytest.raises(LookupError):
        decorated(decorate, handler, processor, lambda_handler)(batch_of("a"), None)


@pytest.mark.parametrize(("event", "error"), [(batch_of("bad"), BatchProcessingError), ({}, UnexpectedBatchTypeError)])
def test_function_does_not_run_when_the_batch_raises(kind: Any, event: Any, error: type[Exception]) -> None:
    decorate, processor, handler = kind
    ran: list[Any] = []
    with pytest.raises(error):
        decorated(decorate, handler, processor, lambda event, context: ran.append(event))(event, None)
    assert ran == []


def test_lambda_context_reaches_the_record_handler() -> None:
    def handler(record: Any, lambda_context: Any) -> None:
        seen.append(lambda_context)

    seen: list[Any] = []
    processor = BatchProcessor("sqs")
    decorated(batch_processor, handler, processor, lambda event, context: None)(batch_of("a"), "context")
    assert seen == ["context"]


@pytest.mark.parametrize("processor", [BatchProcessor, None, "sqs", object()])
def test_what_is_no_processor_is_refused_when_it_is_decorated(processor: Any) -> None:
    for decorate, _, handler, _ in KINDS.values():
        with pytest.raises(ConfigurationError, match="processor is a BatchProcessor or another processor"):
            decorate(record_handler=handler, processor=processor)
