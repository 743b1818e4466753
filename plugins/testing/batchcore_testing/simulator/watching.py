"""Handlers that are watched: what they begin with, and what they return for."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any

from batchcore.callables import close_unawaited, is_awaitable, is_coroutine_function, is_deferred

if TYPE_CHECKING:
    from batchcore_testing.simulator.history import Ledger


def watched(record_handler: Callable[..., Any], ledger: Ledger) -> Callable[..., Any]:
    """Return a handler that does the same, and writes down what it begins with and what it returned for.

    Args:
        record_handler: a handler whose record tells which it is.
        ledger: where to write.
    """
    if is_coroutine_function(record_handler):

        async def watch_async(*arguments: Any, **named: Any) -> Any:
            record = _record_among(arguments, named)
            ledger.tried(record)
            value = await record_handler(*arguments, **named)
            if not is_deferred(value):
                ledger.done(record)
            return value

        return _dressed(watch_async, record_handler)

    def watch(*arguments: Any, **named: Any) -> Any:
        record = _record_among(arguments, named)
        ledger.tried(record)
        value = record_handler(*arguments, **named)
        if is_awaitable(value):
            return _Awaited(value, lambda: ledger.done(record))
        if not is_deferred(value):
            ledger.done(record)
        return value

    return _dressed(watch, record_handler)


def _dressed(watch: Any, record_handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function the likeness of a handler, so that it is called in the same way."""
    wraps(record_handler)(watch)
    if not hasattr(record_handler, "__wrapped__"):
        del watch.__wrapped__  # a handler behind a decorator is called in another way
        with suppress(TypeError, ValueError):  # a builtin has none
            watch.__signature__ = inspect.signature(record_handler)
    dressed: Callable[..., Any] = watch
    return dressed


class _Awaited:
    """What a handler gave to be awaited, with what is to happen when it was."""

    def __init__(self, value: Awaitable[Any], then: Callable[[], None]) -> None:
        self._value = value
        self._then = then

    def __await__(self) -> Generator[Any, Any, Any]:
        value = yield from self._value.__await__()
        if not is_deferred(value):
            self._then()
        return value

    def close(self) -> None:
        """Close what nobody will await."""
        close_unawaited(self._value)


def _record_among(arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    if arguments:
        return arguments[0]
    if "record" in named:
        return named["record"]
    return next(value for name, value in named.items() if name != "lambda_context")
