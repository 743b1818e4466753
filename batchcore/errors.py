"""Errors. One tree::

BatchcoreError
├── ConfigurationError (also TypeError)
│   ├── HandlerSignatureError
│   └── PluginError
│       ├── UnknownHookError
│       ├── UnmarkedHookError
│       ├── MissingHookError
│       ├── HookArgumentsError
│       ├── DuplicateHookError
│       ├── PluginLoadError
│       └── SourceError
│           ├── SourceNotInstalledError
│           ├── SourceBrokenError
│           └── AmbiguousSourceError
├── UnexpectedBatchTypeError (also ValueError)
│   └── RecordIdentityError
├── NoBatchError (also RuntimeError)
├── BatchProcessingError
├── WholeBatchRetry
├── RaisedDisposition
│   ├── RetryRecord
│   ├── DropRecord
│   ├── DeadLetterRecord
│   └── StopBatch
└── RecordError
    ├── NotAttemptedError
    ├── OutOfTimeError
    │   └── OutsideCallError (also TimeoutError)
    ├── UnawaitedResultError
    └── EntryFailedError
"""

from __future__ import annotations

import builtins
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import Any


def is_entry(entry: Any, status: str) -> bool:
    """Whether this is an entry of that status, as the handlers of a processor give it."""
    return isinstance(entry, tuple) and bool(entry[:1] == (status,))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # any tuple


_GROUP: Any = getattr(builtins, "BaseExceptionGroup", None)
_MAYBE_GROUP: Any = _GROUP or BaseException


def members_of(exception: Any) -> Sequence[BaseException]:
    """Return the members of an exception group; none of any other exception, nor of Python 3.10."""
    # Python 3.10 has a backport, perhaps.
    group: Any = _GROUP or getattr(sys.modules.get("exceptiongroup"), "BaseExceptionGroup", ())
    try:
        members: Sequence[BaseException] = tuple(exception.exceptions) if isinstance(exception, group) else ()
    except Exception:  # one of somebody's own, whose members cannot be had
        return ()
    return members


def steering_in(error: BaseException) -> BaseException | None:
    """Return what of an exception steers whoever runs the function; None where it is a failure of whoever raised it.

    An ``Exception``, ``SystemExit`` and a cancellation are failures. Every other ``BaseException`` is none: an
    interrupt, the suspension of a durable function, the outcome of a test. A group is what its members are.
    """
    waiting = [error]
    while waiting:
        current = waiting.pop()
        members = members_of(current)
        if members:
            waiting += reversed(members)
        elif not isinstance(current, (Exception, SystemExit)):
            asyncio = sys.modules.get("asyncio.exceptions")  # nothing is cancelled where nobody has imported it
            if asyncio is None or not isinstance(current, asyncio.CancelledError):
                return current
    return None


def raise_if_steering(error: BaseException) -> None:
    """Raise what of an exception is not ours to take for a failure. Called while it is being handled.

    Raises:
        BaseException: see :func:`steering_in`. Out of a group that one alone, whose context is the group.
    """
    if isinstance(error, Exception):
        return
    steering = steering_in(error)
    if steering is not None:
        raise steering


def chained(exception: BaseException) -> Iterator[BaseException]:
    """Yield an exception and, each once, all that its printed form would show: causes, contexts, members of groups."""
    waiting: list[BaseException | None] = [exception]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        try:
            waiting += (current.__cause__, current.__context__, *members_of(current))
        except Exception:  # noqa: S112 - it has a property of its own where others have a cause
            continue


def exception_info(exception: BaseException) -> tuple[type[BaseException], BaseException, TracebackType | None]:
    """Return the triple that :func:`sys.exc_info` gave while this exception was handled."""
    return type(exception), exception, exception.__traceback__


def release_frames(exception: BaseException) -> None:
    """Take the tracebacks off an exception and all it is chained to, so that it keeps no frame alive."""
    # Not by assignment: an exception may be a frozen data class.
    BaseException.with_traceback(exception, None)
    try:
        is_group = isinstance(exception, _MAYBE_GROUP) and members_of(exception)
        if exception.__context__ is None and exception.__cause__ is None and not is_group:
            return
        # What is being handled around the batch is not the batch's, though its exceptions have it as their context.
        outer = sys.exc_info()[1]
        around: set[int] = set() if outer is None else {id(current) for current in chained(outer)}
        for current in chained(exception):
            if id(current) not in around:
                BaseException.with_traceback(current, None)
    except Exception:  # one of them has a property of its own where others have a cause
        return


class BatchcoreError(Exception):
    """Base of all errors of batchcore."""


class ConfigurationError(BatchcoreError, TypeError):
    """The library is used in a way that cannot work. Raised before the first record."""


class HandlerSignatureError(ConfigurationError):
    """The handler cannot be called with a record, or needs a Lambda context that was not given."""


class PluginError(ConfigurationError):
    """A plugin cannot be used.

    Attributes:
        plugin: the plugin, or its name.
        hook: the hook in question, where there is one.
    """

    def __init__(self, message: str, *, plugin: object = None, hook: str | None = None) -> None:
        super().__init__(message)
        self.plugin = plugin
        self.hook = hook


class UnknownHookError(PluginError):
    """A method is marked with ``hookimpl`` and no hook has its name."""


class UnmarkedHookError(PluginError):
    """A method has a hook's name and lacks the marker ``hookimpl``."""


class MissingHookError(PluginError):
    """A source lacks a hook that every source must have."""


class HookArgumentsError(PluginError):
    """A hook takes an argument that its specification does not have."""


class DuplicateHookError(PluginError):
    """Two plugins implement a hook that takes one plain implementation. The others may wrap it."""


class PluginLoadError(PluginError):
    """An extension or observer that was named could not be loaded. The cause is chained."""


class SourceError(PluginError):
    """No source can be had by this name or for this event."""


class SourceNotInstalledError(SourceError):
    """No installed package offers the source."""


class SourceBrokenError(SourceError):
    """The package that offers the source is installed, and fails to load. The cause is chained."""


class AmbiguousSourceError(SourceError):
    """Two sources claim the same name or the same event."""


class UnexpectedBatchTypeError(BatchcoreError, ValueError):
    """The event is not one of the source that was named, or of no source that is installed."""


class RecordIdentityError(UnexpectedBatchTypeError):
    """A record has no identifier, or an empty one, so that no response could name it.

    Attributes:
        position: where in the batch, counting from 0.
    """

    def __init__(self, message: str, *, position: int | None = None) -> None:
        super().__init__(message)
        self.position = position


class NoBatchError(BatchcoreError, RuntimeError):
    """A response was asked for before a batch was begun, or after one was refused."""


class WholeBatchRetry(BatchcoreError):
    """Raised by a source that has no partial response: AWS delivers the whole batch again. No option turns it off.

    Attributes:
        result: the whole result of the batch, which has no response.
    """

    result: Any = None


class RaisedDisposition(BatchcoreError):
    """Base of what a handler may raise to say what becomes of its record: those of :mod:`batchcore.dispositions`."""


class RecordError(BatchcoreError):
    """Base of what a record fails with when no exception of the user's code did it."""


class NotAttemptedError(RecordError):
    """An earlier record of the same lane failed, so this one was not attempted."""

    def __init__(self, message: str = "An earlier record of its lane failed, so it was not attempted.") -> None:
        super().__init__(message)


class OutOfTimeError(RecordError):
    """The time of the invocation was up before this record was done: it had not started, or it was still running."""


class UnawaitedResultError(RecordError):
    """A handler gave an awaitable or a generator that nobody runs, so its work was not done."""


class EntryFailedError(RecordError):
    """A processor from scratch gave an entry that is no success.

    Attributes:
        entry: the entry.
    """

    def __init__(self, entry: Any) -> None:
        cause: Any = entry[1] if is_entry(entry, "fail") and len(entry) > 1 else None
        super().__init__(cause if isinstance(cause, str) else f"no success: an entry of {type(entry).__name__:.200}")
        self.entry = entry

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.entry,)
