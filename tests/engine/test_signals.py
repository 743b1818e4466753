"""An exception that a signal handler raises, at any moment: between two records too."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from batchcore import BasePartialProcessor, BatchProcessor, by_key, in_order, unordered
from tests.batches import batch_of, failed

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no interval timers here")

BODIES = ["plain"] * 400 + ["last"]
ORDERINGS = {
    "unordered": unordered,
    "in order": in_order(on_failure="continue"),
    "by key": by_key(lambda record: record["messageId"]),
}


class AlarmError(Exception):
    """What the signal handler raises."""


class Silent:
    """A logger that takes no lock: that of a handler of logging would stay locked, had the alarm rung inside of it."""

    def warning(self, *arguments: object, **options: object) -> None:
        """Log nothing."""


def ring(*_: object) -> None:
    raise AlarmError


@pytest.fixture(autouse=True)
def unwatched() -> Iterator[None]:
    """Let nobody watch meanwhile, in whose code the alarm would ring.

    What coverage does would leave a lock of its own locked. hypothesis measures the garbage collector once a property
    has run in the process; what is raised there is nobody's to catch, and a warning that fails the test.
    """
    trace, callbacks = sys.gettrace(), gc.callbacks[:]
    sys.settrace(None)
    gc.callbacks.clear()
    yield
    gc.callbacks[:] = callbacks
    sys.settrace(trace)


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_exception_of_a_signal_handler_moves_no_outcome_to_another_record(ordering: str) -> None:
    """It is raised wherever the batch is just then. Either no response comes of it, or each record has its own outcome.

    The last record fails. If the alarm shifted the records after it by one, the response would name its neighbour, and
    AWS would delete the message that failed.
    """
    processor = BatchProcessor("sqs", None, False, Silent(), ordering=ORDERINGS[ordering])  # type: ignore[arg-type]
    event = batch_of(*BODIES)
    last = event["Records"][-1]["messageId"]
    answered = 0

    for step in range(1, 200):
        done: list[str] = []

        def handler(record: Any) -> None:
            if record.body == "last":
                raise ValueError(record.body)
            done.append(record.message_id)  # noqa: B023 - of this batch

        response = alarmed(processor, event, handler, step * 3e-6)
        if response is not None:
            named = failed(response)
            assert last in named
            assert {message for message in processed(event) if message not in named} <= set(done)
            answered += 1
    assert answered, "each alarm broke its batch off, so nothing was tried"


def alarmed(processor: BasePartialProcessor, event: Any, handler: Any, after: float) -> Any:
    """Return the response to a batch during which an alarm rings; None where the alarm broke it off."""
    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, after, 0)
        return processor.run(event, handler).response
    except AlarmError:
        return None
    finally:
        while True:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)
            except AlarmError:
                continue
            break


def processed(event: Any) -> list[str]:
    return [record["messageId"] for record in event["Records"]]


def interrupted_at(step: int, kind: str) -> set[str] | None:
    """Run a batch whose last record fails, in which something is raised after the first handler: at so many steps on.

    Args:
        step: how many.
        kind: of what: a ``line`` of the loop, or an ``opcode``.

    Returns:
        What is done by the response, and was not; None where there is no response, so that all of it comes again.
    """
    processor = BatchProcessor("sqs", None, False, Silent())  # type: ignore[arg-type]
    calls: list[str] = []
    seen = 0

    def handler(record: Any) -> None:
        calls.append(record.message_id)
        if record.body == "last":
            raise ValueError(record.body)

    def trace(frame: Any, happens: str, argument: object) -> Any:
        nonlocal seen
        if frame.f_code.co_name != "_run_records":
            return None
        frame.f_trace_opcodes = kind == "opcode"
        if happens == kind and len(calls) == 1:
            seen += 1
            if seen == step:
                raise AlarmError  # which also ends the tracing
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        response = processor.run(batch_of("plain", "plain", "last"), handler).response
    except AlarmError:
        return None
    finally:
        sys.settrace(before)
    return {"m0", "m1", "m2"} - set(failed(response)) - {message for message in calls if message != "m2"}


@pytest.mark.parametrize("line", range(1, 16))
def test_exception_at_any_line_between_two_handlers_moves_no_outcome(line: int) -> None:
    """The same on every run: a trace function raises at one line of the loop after another."""
    assert interrupted_at(line, "line") in (None, set())


def test_exception_at_any_instruction_between_two_handlers_moves_no_outcome() -> None:
    """Within a line as well: a signal may come as soon as what a handler returned has been written down."""
    for step in range(1, 150):
        assert interrupted_at(step, "opcode") in (None, set())
