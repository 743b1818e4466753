"""Options that cannot work are refused when the processor is made, and the message says what would."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    ConfigurationError,
    Disposition,
    EventType,
    HandlerSignatureError,
    NotAttemptedError,
    OutOfTimeError,
    OutsideCallError,
)
from batchcore_sqs import SqsFifoPartialProcessor

from .support import ToySource, failed, toys


@pytest.mark.parametrize("kind", [OutOfTimeError, OutsideCallError, NotAttemptedError, KeyboardInterrupt])
def test_what_no_handler_fails_with_has_no_disposition(kind: type[BaseException]) -> None:
    with pytest.raises(ConfigurationError, match=f"dispositions has {kind.__name__}, which no record fails with"):
        BatchProcessor(ToySource(), dispositions={kind: Disposition.DROP})


@pytest.mark.parametrize("logger", ["orders", 7, object()])
def test_a_logger_that_is_none_is_refused(logger: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"logger is a logger, as logging\.getLogger"):
        BatchProcessor(ToySource(), logger=logger)


def test_the_enumeration_of_sources_is_no_source() -> None:
    wrong: Any = EventType
    with pytest.raises(ConfigurationError, match=r"event_type is one of EventType, such as EventType\.SQS"):
        BatchProcessor(wrong)


def test_an_event_in_the_place_of_the_handler_is_not_quoted() -> None:
    with pytest.raises(HandlerSignatureError) as caught:
        BatchProcessor(ToySource()).run(len, toys("a secret"))  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)
    assert "not a dict" in str(caught.value)


def test_threads_that_there_are_do_the_work_of_one_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def start_two(thread: threading.Thread) -> None:
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_two)
    result = BatchProcessor(ToySource(), max_concurrency=5).run(toys("car", "ball", "doll"), len)

    assert failed(result) == []
    assert len(started) == 2


def test_a_pool_of_threads_is_no_class() -> None:
    wrong: Any = ThreadPoolExecutor
    with pytest.raises(ConfigurationError, match=r"executor is a concurrent\.futures\.Executor of threads"):
        BatchProcessor(ToySource(), executor=wrong)


@pytest.mark.parametrize(
    ("option", "meant"),
    [
        ("max_workers", "max_concurrency"),
        ("concurrency", "max_concurrency"),
        ("max_concurency", "max_concurrency"),
        ("modle", "model"),
        ("timeout", "stop_before_timeout"),
        ("stop_before", "stop_before_timeout"),
    ],
)
@pytest.mark.parametrize("make", [BatchProcessor, AsyncBatchProcessor, SqsFifoPartialProcessor])
def test_an_option_that_there_is_not_is_refused_with_the_one_that_was_meant(make: Any, option: str, meant: str) -> None:
    with pytest.raises(TypeError, match=f"{make.__name__} has no option {option}. Did you mean {meant}"):
        make(**{option: 4})


def test_an_option_like_none_is_refused_with_all_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"no option zzz\. Its options are event_type, model"):
        BatchProcessor("sqs", zzz=4)  # type: ignore[call-overload]


def test_an_option_of_a_subclass_that_passes_on_its_own_is_found() -> None:
    class Own(BatchProcessor):
        def __init__(self, *args: Any, retries: int = 0, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)

    assert Own("sqs", retries=3).max_concurrency == 1
    with pytest.raises(ConfigurationError, match=r"Own has no option retrys"):
        Own("sqs", retrys=3)
