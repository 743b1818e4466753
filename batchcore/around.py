"""What is held open around each handler, from the outside in: its time, its arguments."""

from __future__ import annotations

from time import perf_counter

from batchcore.errors import steering_in
from batchcore.handler import is_awaitable
from batchcore.outcome import exception_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Any, TypeAlias

    from batchcore.invocation import Invocation

    Scoped: TypeAlias = Callable[[int, Any], Any]
    Arguments: TypeAlias = Mapping[str, Callable[[Any], AbstractContextManager[Any]]]


def around(invocation: Invocation, *, awaits: bool = False) -> Scoped:
    """Give what takes the position of a record and what its handler gets, and calls the handler.

    Args:
        invocation: the batch.
        awaits: whether the handler may give an awaitable. What this gives then does, too.
    """
    if invocation.arguments:
        scoped = (_arguments_async if awaits else _arguments)(invocation, invocation.arguments)
    else:
        scoped = _record_alone(invocation.call)
    if invocation.durations is not None:
        scoped = (_timed_async if awaits else _timed)(scoped, invocation.durations)
    if invocation.failed_before:
        scoped = _unless_failed(scoped, invocation.failed_before)
    return scoped


def _record_alone(call: Callable[[Any], Any]) -> Scoped:
    def handle(_position: int, data: Any) -> Any:
        return call(data)

    return handle


def _arguments(invocation: Invocation, arguments: Arguments) -> Scoped:
    call: Any = invocation.call
    records = invocation.records

    def handle(position: int, data: Any) -> Any:
        entered: list[AbstractContextManager[Any]] = []
        try:
            value = call(data, _enter(arguments, records[position], entered))
        except BaseException as error:
            _leave(entered, error)
            raise
        _leave(entered, None)
        return value

    return handle


def _arguments_async(invocation: Invocation, arguments: Arguments) -> Scoped:
    call: Any = invocation.call
    records = invocation.records

    async def handle(position: int, data: Any) -> Any:
        entered: list[AbstractContextManager[Any]] = []
        try:
            value: Any = call(data, _enter(arguments, records[position], entered))
            if is_awaitable(value):
                value = await value
        except BaseException as error:
            _leave(entered, error)
            raise
        _leave(entered, None)
        return value

    return handle


def _enter(arguments: Arguments, record: Any, entered: list[AbstractContextManager[Any]]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, make in arguments.items():
        manager = make(record)
        given[name] = manager.__enter__()
        entered.append(manager)
    return given


def _leave(entered: list[AbstractContextManager[Any]], raised: BaseException | None) -> None:
    """Leave them all, the last first. One that would swallow the exception has made no success of the record.

    Raises:
        BaseException: what one of them raised, the last to do so; but nothing in place of what steers whoever runs the
            function.
    """
    mistake: BaseException | None = None
    while entered:
        try:
            entered.pop().__exit__(*((None, None, None) if raised is None else exception_info(raised)))
        except BaseException as error:
            if raised is None or steering_in(raised) is None:
                raised = mistake = error
    if mistake is not None:
        raise mistake


def _timed(scoped: Scoped, durations: list[float | None]) -> Scoped:
    def handle(position: int, data: Any) -> Any:
        started = perf_counter()
        try:
            return scoped(position, data)
        finally:
            durations[position] = perf_counter() - started

    return handle


def _timed_async(scoped: Scoped, durations: list[float | None]) -> Scoped:
    async def handle(position: int, data: Any) -> Any:
        started = perf_counter()
        try:
            value = scoped(position, data)
            return await value if is_awaitable(value) else value
        finally:
            durations[position] = perf_counter() - started

    return handle


def _unless_failed(scoped: Scoped, failed: Mapping[int, tuple[BaseException, TracebackType | None]]) -> Scoped:
    def handle(position: int, data: Any) -> Any:
        if position in failed:
            error, traceback = failed[position]
            raise BaseException.with_traceback(error, traceback)  # one error may be that of many records
        return scoped(position, data)

    return handle
