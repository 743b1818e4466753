"""What is logged of a batch: each failed record, and never an input or a body.

A pydantic error quotes the input it refused, so it is described without it, also where it is the cause of another
exception. What a handler writes into its own exceptions is logged as it is.
"""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import suppress

from batchcore.errors import text_of
from batchcore.outcome import chained

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from batchcore.batch import Batch
    from batchcore.invocation import Invocation

LOGGER = logging.getLogger("batchcore")
TRACEBACKS_PER_BATCH = 10
"""How many failed records, and how many other errors, of one batch are logged with a traceback; the others are logged
with a line each."""

_WHAT_BECOMES_OF_IT = {
    "drop": ", and is dropped",
    "dead_letter": ", and is a dead letter",
    "stop_batch": ", and stops the batch",
}
_LONGEST_TEXT = 1_000
_HIGHEST_INDEX = 10_000  # a higher number may be a key of a dictionary


def summary_of(error: BaseException) -> str:
    """Name an exception in a line, without what pydantic was given as input. For plugins that pass a failure on.

    Args:
        error: the exception.

    Returns:
        Its class and its text, which is cut after 1,000 characters.
    """
    text = _without_input(error) if _is_pydantic(error) else text_of(error)
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]}... ({len(text)} characters)"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class Report:
    """The log of one batch.

    Args:
        logger: what to log to: a logger, or anything with its ``warning`` method.
        batch: the batch, which names its records.
    """

    __slots__ = ("_batch", "_listened_to", "_logger", "_tracebacks", "_tracebacks_of_errors")

    def __init__(self, logger: logging.Logger | None, batch: Invocation) -> None:
        self._logger = LOGGER if logger is None else logger
        self._batch = batch
        self._tracebacks = self._tracebacks_of_errors = TRACEBACKS_PER_BATCH
        self._listened_to = logger is not None or _somebody_listens(LOGGER)

    def failed(self, position: int, error: BaseException, disposition: str | None = None) -> None:
        """Log one failed record at WARNING. Never raises.

        Args:
            position: where in the batch.
            error: what it failed with.
            disposition: what becomes of it: the value of a disposition; None where it is retried.
        """
        if self._listened_to:
            self._guarded(self._log_failure, position, error, disposition or "retry")

    def _log_failure(self, position: int, error: BaseException, disposition: str) -> None:
        batch = self._batch
        record, identifier = batch.records[position], batch.identifiers[position]
        extra = {
            "batch_source": batch.source,
            "item_identifier": identifier,
            "delivery_attempt": batch.delivery_attempt(record),
            "record_description": batch.describe_record(record),
            "record_disposition": disposition,
        }
        message, exc_info = summary_of(error), None
        if self._tracebacks > 0 and error.__traceback__ is not None:
            self._tracebacks -= 1
            if _quotes_input(error):
                message = f"{message}\n{''.join(traceback.format_tb(error.__traceback__)).rstrip()}"
            else:
                exc_info = (type(error), error, error.__traceback__)
        attempt = extra["delivery_attempt"]
        self._logger.warning(
            "Record %s of %s failed%s%s: %s",
            identifier if identifier is not None else f"at position {position}",
            batch.source,
            "" if attempt is None else f" (delivery {attempt})",
            _WHAT_BECOMES_OF_IT.get(disposition, ""),
            message,
            exc_info=exc_info,
            extra=extra,
        )

    def finished(self) -> None:
        """Log what became of the batch, at INFO; at WARNING where handlers of earlier batches have ended since."""
        batch, late = self._batch, self._batch.settings.late
        counts = batch.result.counts()
        ended_late = len(late)
        del late[:ended_late]
        message = f"Batch of {len(batch.values)} from {batch.source}: {_counted(counts)}"
        if batch.duration is not None:
            message += f", in {batch.duration:.3f} s"
        if batch.out_of_time:
            message += "; the time was nearly up"
            if counts.keys() == {"not_attempted"}:
                message += " before the first record: is stop_before_timeout as long as the function's own timeout"
        if ended_late:
            message += (
                f". {ended_late} handler{'s' if ended_late > 1 else ''} of earlier batches ended after the answer, "
                "which had named the records as failed"
            )
        extra = {
            "batch_source": batch.source,
            "batch_counts": dict(counts),
            "batch_duration": batch.duration,
            "ended_late": ended_late,
        }
        warns = ended_late or batch.out_of_time
        self._guarded(self._logger.warning if warns else self._logger.info, "%s.", message, extra=extra)

    def nobody_delivers(self) -> None:
        """Log that a handler asked for a dead letter where nobody delivers any."""
        self._guarded(
            self._logger.error,
            "A handler raised DeadLetterRecord and nobody delivers dead letters, so the record is retried. Pass a "
            "plugin that implements deliver_dead_letter(outcome), such as those of the package batchcore-deadletter.",
        )

    def went_wrong(self, what: str, error: BaseException, plugin: object = None) -> None:
        """Log that something besides a record failed and changed no outcome. Never raises.

        Args:
            what: what failed.
            error: what it raised.
            plugin: whose it is, where it is a plugin's.
        """
        self._guarded(self._went_wrong, what, error, plugin)

    def _went_wrong(self, what: str, error: BaseException, plugin: object) -> None:
        shown = self._tracebacks_of_errors > 0 and not _quotes_input(error)
        self._tracebacks_of_errors -= shown
        exc_info = (type(error), error, error.__traceback__) if shown else None
        whose = "" if plugin is None else f" Plugin: {getattr(plugin, '__name__', type(plugin).__name__)}."
        summary = summary_of(error).rstrip(".")
        self._logger.error("%s raised %s; no outcome changes.%s", what, summary, whose, exc_info=exc_info)

    @staticmethod
    def _guarded(log: Callable[..., None], *arguments: Any, **options: Any) -> None:
        """Log something; a logger that raises is shown where it can be, and changes nothing."""
        try:
            log(*arguments, **options)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            with suppress(Exception):  # its context is what a record failed with, which may quote its input
                traceback.print_exception(type(error), error, error.__traceback__, chain=False, file=sys.stderr)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts.items()) or "no records"


def whole_batch_message(batch: Batch, failures: Mapping[int, Any]) -> str:
    """Say in one line why no record was processed: the runtime's own error report has room for one message."""
    kinds: dict[str, int] = {}
    for failure in failures.values():
        name = type(failure.exception).__name__
        kinds[name] = kinds.get(name, 0) + 1
    counted = ", ".join(f"{count} x {name}" for name, count in sorted(kinds.items(), key=lambda kind: -kind[1]))
    first = min(failures)
    identifier = batch.identifiers[first]
    return (
        f"All records failed processing. {len(batch.records)} of {batch.source}: {counted}. "
        f"The first, {identifier}: {summary_of(failures[first].exception)}"
    )


def _somebody_listens(logger: logging.Logger) -> bool:
    """Say whether a record logged here would reach a handler that does anything with it."""
    if not logger.isEnabledFor(logging.WARNING):
        return False
    current: logging.Logger | None = logger
    handlers = 0
    while current is not None:
        handlers += len(current.handlers)
        if any(type(handler) is not logging.NullHandler for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return handlers == 0  # nothing configured: logging's handler of last resort prints it


def _is_pydantic(error: BaseException) -> bool:
    module = sys.modules.get("pydantic_core")
    return module is not None and isinstance(error, module.ValidationError)


def _quotes_input(error: BaseException) -> bool:
    """Say whether the printed form of an exception, with all it is chained to, would quote what pydantic was given."""
    return "pydantic_core" in sys.modules and any(_is_pydantic(current) for current in chained(error))


def _without_input(error: Any) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    named = "; ".join(f"{_place(p['loc'])}: {_problem(p)}" for p in problems[:5])
    more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
    return f"{error.title}: {named}{more}"


def _place(loc: tuple[int | str, ...]) -> str:
    """Say where in a record: fields by their names, items by their numbers. A key of a dictionary is input: a star."""
    parts = (str(p) if (p < _HIGHEST_INDEX if isinstance(p, int) else _is_declared(p)) else "*" for p in loc)
    return ".".join(parts) or "record"


def _problem(problem: Any) -> str:
    """Say what is wrong there, as pydantic does, but where its message quotes the input."""
    return str(problem["type"] if problem["type"] == "union_tag_invalid" else problem["msg"])


_declared: set[str] = set()


def _is_declared(name: str) -> bool:
    """Say whether a model of this process has a field of this name. A name not seen before may be of a new model."""
    if name not in _declared:
        models: list[Any] = [sys.modules["pydantic"].BaseModel]
        while models:
            model = models.pop()
            models += model.__subclasses__()
            for field_name, field in model.model_fields.items():
                names = (field_name, field.alias, field.validation_alias)
                _declared.update(known for known in names if isinstance(known, str))
    return name in _declared
