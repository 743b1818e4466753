"""What is logged of a batch: each failed record, and never an input or a body.

A pydantic error quotes the input it refused, so it is described without it, also where it is the cause of another
exception. What a handler writes into its own exceptions is logged as it is.
"""

from __future__ import annotations

import logging
import sys
import traceback

from batchcore.errors import text_of
from batchcore.outcome import chained

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from batchcore.batch import Batch
    from batchcore.source import Source

LOGGER = logging.getLogger("batchcore")
TRACEBACKS_PER_BATCH = 10
"""How many failures of one batch are logged with a traceback. The others are logged with a line each."""

_LONGEST_TEXT = 1_000
_HIGHEST_INDEX = 10_000  # a higher number may be a key of a dictionary


def summary_of(error: BaseException) -> str:
    """Name an exception in a line, without what pydantic was given as input."""
    text = _without_input(error) if _is_pydantic(error) else text_of(error)
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]}... ({len(text)} characters)"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class Report:
    """The log of one batch.

    Args:
        logger: what to log to: a logger, or anything with its ``warning`` method.
        source: the source of the batch.
        batch: the batch, which names its records.
    """

    __slots__ = ("_batch", "_listened_to", "_logger", "_source", "_tracebacks")

    def __init__(self, logger: logging.Logger | None, source: Source, batch: Batch) -> None:
        self._logger = LOGGER if logger is None else logger
        self._source = source
        self._batch = batch
        self._tracebacks = TRACEBACKS_PER_BATCH
        self._listened_to = logger is not None or _somebody_listens(LOGGER)

    def failed(self, position: int, error: BaseException) -> None:
        """Log one failed record at WARNING. Never raises."""
        if self._listened_to:
            try:
                self._log_failure(position, error)
            except KeyboardInterrupt:
                raise
            except BaseException:
                traceback.print_exc(file=sys.stderr)

    def _log_failure(self, position: int, error: BaseException) -> None:
        batch = self._batch
        record, identifier = batch.records[position], batch.identifiers[position]
        extra = {
            "batch_source": batch.source,
            "item_identifier": identifier,
            "delivery_attempt": _asked(self._source.delivery_attempt, record),
            "record_description": dict(_asked(self._source.describe_record, record) or {}),
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
            "Record %s of %s failed%s: %s",
            identifier if identifier is not None else f"at position {position}",
            batch.source,
            "" if attempt is None else f" (delivery {attempt})",
            message,
            exc_info=exc_info,
            extra=extra,
        )

    def went_wrong(self, what: str, error: BaseException) -> None:
        """Log that something besides a record failed and changed no outcome. Never raises."""
        try:
            self._logger.error(
                "%s raised %s; no outcome changes.", what, summary_of(error), exc_info=not _quotes_input(error)
            )
        except KeyboardInterrupt:
            raise
        except BaseException:
            traceback.print_exc(file=sys.stderr)


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


def _asked(hook: Any, record: Any) -> Any:
    try:
        return hook(record)
    except Exception:
        return None


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
