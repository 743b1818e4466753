"""Checks of what a processor is told, each before the first record."""

from __future__ import annotations

import sys

from batchcore.callables import describe_value, is_coroutine_function, name_of, plain, shown_code
from batchcore.deadline import LONGEST_S, is_number
from batchcore.dispositions import Disposition
from batchcore.errors import ConfigurationError, HandlerSignatureError, NotAttemptedError, OutOfTimeError, PluginError
from batchcore.model import Ordering
from batchcore.source import AWAITED_HOOKS, DEFAULTS, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Mapping
    from concurrent.futures import Executor
    from datetime import timedelta
    from typing import Any, NoReturn, TypedDict

    from batchcore._plugins.loading import Plugins
    from batchcore.dispositions import Dispositions
    from batchcore.source import Source

    class Options(TypedDict, total=False):
        """The arguments that all processors share, and that are given by keyword alone."""

        plugins: Iterable[object]
        ordering: Ordering | None
        max_concurrency: int | None
        executor: Executor | None
        stop_before_timeout: float | timedelta | None
        dispositions: Dispositions | None
        dead_letter_after: int | None

    class ByKeyword(Options, total=False):
        """The same, and those that may be given by position as well."""

        raise_on_entire_batch_failure: bool
        logger: logging.Logger | None


_EXTENSION = "a plugin with wrap_handler(), or a decorator on the record handler"
INSTEAD_OF = {
    "_prepare": "a plugin with batch_started()",
    "_clean": "a plugin with batch_finished()",
    "_process_record": _EXTENSION,
    "_async_process_record": _EXTENSION,
    "_to_batch_type": "a plugin that wraps record_decoder()",
    "_register_model_validation_error_record": "failure_handler()",
    "_get_messages_to_report": "a plugin that wraps build_response()",
    "_has_messages_to_report": "a plugin that wraps build_response()",
    "_entire_batch_failed": "raise_on_entire_batch_failure=False",
    "_collect_sqs_failures": "a plugin that wraps identify_records()",
    "_collect_kinesis_failures": "a plugin that wraps identify_records()",
    "_collect_dynamodb_failures": "a plugin that wraps identify_records()",
    "_collect_kafka_failures": "a plugin that wraps identify_records()",
}
"""Private methods that subclasses of other batch utilities override, and what does the same here."""


def refuse_dead_overrides(cls: type[Any], base: type[Any]) -> None:
    """Refuse a subclass that overrides what is never called, itself or by a mix-in, or what nobody would await.

    Raises:
        ConfigurationError: it names the override, and what does the same here.
    """
    for name, instead in INSTEAD_OF.items():
        if getattr(cls, name, None) is not getattr(base, name, None):
            raise ConfigurationError(f"{cls.__name__} overrides {name}(), which is never called. Instead: {instead}.")
    for name in ("success_handler", "failure_handler"):
        if is_coroutine_function(getattr(cls, name)):
            raise ConfigurationError(
                f"{name}() of {cls.__name__} is a coroutine function, and nobody awaits it. Define it with a plain def."
            )


def configure(
    processor: Any,
    ordering: Any,
    max_concurrency: Any,
    executor: Any,
    stop_before_timeout: Any,
    dispositions: Any,
    dead_letter_after: Any,
) -> None:
    """Check what a processor is told besides source, model and plugins, and let it be so."""
    if ordering is not None and not isinstance(ordering, Ordering):
        raise ConfigurationError(f"ordering is unordered, in_order(...) or by_key(...), not {ordering!r}.")
    if max_concurrency is not None:
        _check_count(max_concurrency, "max_concurrency is a whole number")
        processor.max_concurrency = max_concurrency
    if executor is not None:
        _check_executor(executor, processor)
    _check_dispositions(dispositions or {})
    if dead_letter_after is not None:
        _check_count(dead_letter_after, "dead_letter_after is a number of deliveries")
    sender = None if dead_letter_after is None else f"dead_letter_after={dead_letter_after}"
    if dispositions and Disposition.DEAD_LETTER in dispositions.values():
        sender = "dispositions"
    if sender and (processor._plugins is None or processor._plugins.delivers is None):
        raise ConfigurationError(
            f"{sender} sends records to a dead letter and nobody delivers them. Pass a plugin that implements "
            "deliver_dead_letter(outcome), such as those of the package batchcore-deadletter."
        )
    processor._asked_concurrency = max_concurrency
    processor.executor = executor
    processor._ordering = ordering
    processor._dispositions = dict(dispositions or {})
    processor._dead_letter_after = dead_letter_after
    processor._stop_before = None if stop_before_timeout is None else _seconds(stop_before_timeout)


def refuse_way(processor: object, awaits: bool) -> NoReturn:
    """Refuse to call a processor in a way that is not its own."""
    if awaits:
        raise ConfigurationError(
            f"{type(processor).__name__} is called synchronously: use process_partial_response() or process(). For "
            "async handlers use AsyncBatchProcessor; it keeps a .fifo queue in order by itself."
        )
    raise ConfigurationError(
        f"{type(processor).__name__} is called asynchronously: use async_process_partial_response(), async_process() "
        "or `await processor.aprocess()`."
    )


def refuse_processor(processor: object) -> NoReturn:
    """Refuse what is no processor."""
    hint = " Pass an object of it." if isinstance(processor, type) else ""
    raise ConfigurationError(
        f"processor is a BatchProcessor or another processor, not {describe_value(processor)}.{hint}"
    )


def refuse_coroutine_function(processor: object) -> NoReturn:
    """Refuse a coroutine function as the handler of a processor that would not await it."""
    raise HandlerSignatureError(
        f"{type(processor).__name__} calls its handler synchronously and was given a coroutine function. Use "
        "AsyncBatchProcessor with async_process_partial_response()."
    )


def refuse_plain_wrapper(handler: Any, wrapped: Any) -> NoReturn:
    """Refuse a plain function round a coroutine function: most do with the coroutine what a value is good for."""
    raise HandlerSignatureError(
        f"{name_of(wrapped)} is a coroutine function in a plain decorator: {shown_code(handler)}. What "
        "it returns is a coroutine to the decorator, which would keep, write down or drop it in place of the "
        "result. Use a decorator for coroutine functions, whose wrapper is an `async def` that awaits. If it "
        "does no more than return the coroutine, mark it: inspect.markcoroutinefunction(wrapper), from Python "
        "3.12 on."
    )


_CONCURRENCY = ("max_workers", "workers", "threads", "max_threads", "max_tasks", "concurrency", "parallelism")
_CALLED_OTHERWISE = {
    **dict.fromkeys(_CONCURRENCY, "max_concurrency"),
    "timeout": "stop_before_timeout",
    "source": "event_type",
    "schema": "model",
    "parser": "model",
}


def refuse_unknown(cls: type[Any], unknown: Mapping[str, Any]) -> NoReturn:
    """Refuse options that there are not, and name the one that was meant.

    Raises:
        ConfigurationError: always; it is a :class:`TypeError`, as Python's own would be.
    """
    import difflib

    codes = [vars(base)["__init__"].__code__ for base in cls.__mro__[:-1] if "__init__" in vars(base)]
    named = (code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount] for code in codes)
    options = list(dict.fromkeys(option for names in named for option in names))
    name = next(iter(unknown))
    meant = _CALLED_OTHERWISE.get(name) or next(iter(difflib.get_close_matches(name, options, 1)), None)
    hint = f"Did you mean {meant}?" if meant in options else f"Its options are {', '.join(options)}."
    raise ConfigurationError(f"{cls.__name__} has no option {plain(name)}. {hint}")


def _check_count(given: Any, what: str) -> None:
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise ConfigurationError(f"{what} from 1 on, not {given!r}.")


def _check_executor(executor: Any, processor: Any) -> None:
    """Check an executor: one of threads, whose threads are shared with whoever else uses it."""
    if processor._awaits:
        raise ConfigurationError(
            f"{type(processor).__name__} runs tasks, not threads, so it takes no executor. max_concurrency= limits "
            "them; for threads use BatchProcessor."
        )
    kinds = {kind.__name__ for kind in type(executor).__mro__}
    if kinds & {"ProcessPoolExecutor", "InterpreterPoolExecutor", "Pool"}:
        raise ConfigurationError(
            f"executor is one of threads; a {type(executor).__name__} runs elsewhere, where neither the handler's "
            "results nor its failures can be seen. Pass a ThreadPoolExecutor, or max_concurrency=."
        )
    if isinstance(executor, type) or not callable(getattr(executor, "submit", None)):
        raise ConfigurationError(f"executor is a concurrent.futures.Executor of threads, not {executor!r}.")


def _seconds(given: Any) -> float:
    """Check a time to keep, in seconds or as a timedelta."""
    seconds = given.total_seconds() if hasattr(given, "total_seconds") else given
    if not is_number(seconds) or not 0 < seconds < LONGEST_S:
        raise ConfigurationError(
            f"stop_before_timeout is a number of seconds or a timedelta, more than 0 and less than the {LONGEST_S:.0f} "
            f"s of the longest function, not {given!r}."
        )
    return float(seconds)


def _check_dispositions(dispositions: Any) -> None:
    if not hasattr(dispositions, "items"):
        raise ConfigurationError(f"dispositions maps exception types to Disposition; {dispositions!r} is no mapping.")
    for kind, disposition in dispositions.items():
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise ConfigurationError(
                f"dispositions maps exception types to Disposition; {kind!r} is no exception type."
            )
        if not isinstance(disposition, Disposition):
            raise ConfigurationError(
                f"dispositions[{kind.__name__}] is a Disposition, such as Disposition.DROP, not {disposition!r}."
            )
        if issubclass(kind, (OutOfTimeError, NotAttemptedError)) or _steers(kind):
            raise ConfigurationError(
                f"dispositions has {kind.__name__}, which no record fails with: one that had no time or no turn is "
                "always retried, and what is neither an Exception nor SystemExit nor a cancellation leaves the batch, "
                "as an interrupt does. dead_letter_after= gives up what always hangs."
            )


def _steers(kind: type[BaseException]) -> bool:
    """Whether every exception of a class steers whoever runs the function: no base class of those that do not."""
    if issubclass(kind, (Exception, SystemExit)) or kind.__name__ in ("BaseException", "BaseExceptionGroup"):
        return False
    asyncio = sys.modules.get("asyncio.exceptions")
    return asyncio is None or not issubclass(kind, asyncio.CancelledError)


def check_deliveries_are_counted(source: Source) -> None:
    """Check that a source says how often a record was delivered, which ``dead_letter_after`` counts."""
    if source.delivery_attempt is DEFAULTS["delivery_attempt"]:
        raise ConfigurationError(
            f"dead_letter_after counts deliveries, and the source {source.name!r} does not say how often a record was "
            "delivered. Raise DeadLetterRecord, or map exceptions with dispositions=."
        )


def refuse_hooks_to_await(processor: object, plugins: Plugins) -> None:
    """Refuse batch hooks that nobody would await."""
    for hook in AWAITED_HOOKS:
        for plugin, function in getattr(plugins, hook):
            if is_coroutine_function(function):
                message = (
                    f"{hook}() of {describe(plugin)} is a coroutine function, and {type(processor).__name__} awaits "
                    "nothing. Use AsyncBatchProcessor, or make it a plain function."
                )
                raise PluginError(message, plugin=plugin, hook=hook)
