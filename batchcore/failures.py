"""Failures: what is logged of them, and what is kept of an exception. Never an input or a body.

A pydantic error quotes the input it refused, so it is described without it, also where it is the cause of another
exception. What a handler writes into its own exceptions is logged as it is.
"""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import suppress
from functools import wraps
from math import isfinite

from batchcore.callables import LONGEST_TEXT, is_object, is_writable, plain, text_of, type_name
from batchcore.errors import RecordError, chained, members_of, raise_if_steering

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeGuard, TypeVar

    from batchcore.model import Batch

    F = TypeVar("F", bound=Callable[..., None])

LOGGER = logging.getLogger("batchcore")
TRACEBACKS_PER_BATCH = 10
"""How many failed records, and how many other errors, of one batch are logged with a traceback; the others are logged
with a line each."""

_WHAT_BECOMES_OF_IT = {
    "drop": ", and is dropped",
    "dead_letter": ", and goes to the dead letters",
    "stop_batch": ", and stops the batch",
}
_MOST_OF_A_CHAIN = 20
MOST_NAMES = 10
_MOST_NOTES = 3
_MOST_FRAMES = 50
_LONGEST_PRINTED = 20_000  # characters
_HIGHEST_INDEX = 10_000  # a higher number may be a key of a dictionary


def summary_of(error: BaseException, shown: Callable[[str], str] | None = None) -> str:
    """Name an exception in a line, without what pydantic was given as input. For plugins that pass a failure on.

    Args:
        error: the exception.
        shown: makes of its text what a sink with rules of its own can write.

    Returns:
        Its class and its text, cut after 1,000 characters, as every sink can write it.
    """
    text = _text_of_exception(error)
    text = plain(text if shown is None else shown(text), keep="\n\t")
    return f"{type_name(error)}: {text}" if text else type_name(error)


def chain_of(error: BaseException) -> list[dict[str, Any]]:
    """Return an exception and what its printed form would show with it, for logs that keep one exception alone.

    Args:
        error: the exception.

    Returns:
        For each its ``relation`` (``raised``, ``cause``, ``context`` or ``member``), ``type``, ``text``, and ``notes``
        where it has some. 20 at most; where there are more, an entry of the relation ``more`` ends them. Without what
        pydantic was given as input.
    """
    chain: list[dict[str, Any]] = []
    waiting: list[tuple[str, Any]] = [("raised", error)]
    seen: set[int] = set()
    while waiting:
        relation, current = waiting.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        if len(chain) == _MOST_OF_A_CHAIN:
            chain.append({"relation": "more", "type": "", "text": "there are more, which are left out"})
            break
        seen.add(id(current))
        entry: dict[str, Any] = {
            "relation": relation,
            "type": type_name(current),
            "text": plain(_text_of_exception(current), keep="\n\t"),
        }
        notes = _notes_of(current)
        if notes:
            entry["notes"] = [plain(note) for note in notes[:_MOST_NOTES]]
        chain.append(entry)
        cause = _attribute(current, "__cause__")
        if cause is not None:
            waiting.append(("cause", cause))
        elif not _attribute(current, "__suppress_context__"):
            waiting.append(("context", _attribute(current, "__context__")))
        waiting += [("member", member) for member in reversed(members_of(current))]
    return chain


def _attribute(error: BaseException, name: str) -> Any:
    try:
        return getattr(error, name, None)
    except Exception:  # a property of its own that raises
        return None


def _guarded(log: F) -> F:
    """Let a method of a report never raise: a logger that does is shown where it can be, and changes nothing."""

    @wraps(log)
    def guarded(*arguments: Any, **options: Any) -> None:
        try:
            log(*arguments, **options)
        except BaseException as error:
            raise_if_steering(error)
            with suppress(Exception):  # its context is what a record failed with, which may quote its input
                traceback.print_exception(type(error), error, error.__traceback__, chain=False, file=sys.stderr)

    made: Any = guarded
    return made  # type: ignore[no-any-return]  # it takes what the method takes


class Report:
    """The log of one batch.

    Args:
        logger: what to log to: a logger, or anything with its ``warning`` method.
        batch: the batch, which names its records.
        late: an entry per handler of earlier batches that has ended since, which the summary counts and takes.

    Attributes:
        is_heard: whether anybody listens to what is logged of failed records.
    """

    __slots__ = ("_batch", "_late", "_logger", "_tracebacks", "_tracebacks_of_errors", "is_heard")

    def __init__(self, logger: logging.Logger | None, batch: Batch, late: list[None]) -> None:
        self._logger = LOGGER if logger is None else logger
        self._batch = batch
        self._late = late
        self._tracebacks = self._tracebacks_of_errors = TRACEBACKS_PER_BATCH
        self.is_heard = logger is not None or _somebody_listens(LOGGER)

    @_guarded
    def failed(self, position: int, error: BaseException, disposition: str) -> None:
        """Log one failed record at WARNING, with the value of its disposition."""
        message, exc_info = summary_of(error), None
        if self._tracebacks > 0 and error.__traceback__ is not None:
            self._tracebacks -= 1
            if _can_be_printed(error):
                exc_info = (type(error), error, error.__traceback__)
            else:
                message = f"{message}\n{_frames_of(error)}"
        extra = self._fields(position, error, disposition)
        attempt = extra["delivery_attempt"]
        self._logger.warning(
            "Record %s of %s failed%s%s: %s",
            self._name(position),
            self._batch.source,
            "" if attempt is None else f" (delivery {attempt})",
            _WHAT_BECOMES_OF_IT.get(disposition, ""),
            message,
            exc_info=exc_info,
            extra=extra,
        )

    def _name(self, position: int) -> str:
        identifier = self._batch.identifiers[position]
        return f"at position {position}" if identifier is None else plain(identifier)

    def _fields(self, position: int, error: BaseException, disposition: str) -> dict[str, Any]:
        """Return what a line about one record carries as fields, all of it plain JSON."""
        batch = self._batch
        record = batch.records[position]
        return {
            "batch_source": batch.source,
            "item_identifier": _plain_json(batch.identifiers[position]),
            "delivery_attempt": batch.delivery_attempt(record),
            "record_description": _plain_json(batch.describe_record(record)),
            "record_disposition": disposition,
            "failure_chain": chain_of(error),
        }

    @_guarded
    def finished(self) -> None:
        """Log what became of the batch, at INFO; at WARNING where handlers of earlier batches have ended since."""
        batch, late, duration = self._batch, self._late, self._batch._ledger.duration
        counts, out_of_time = batch._ledger.counts(), batch._ledger.stop == "time"
        ended_late = len(late)
        del late[:ended_late]
        message = f"Batch of {len(batch.records)} from {batch.source}: {_counted(counts)}"
        if duration is not None:
            message += f", in {duration:.3f} s"
        if out_of_time:
            message += "; the time was nearly up"
            if counts.keys() == {"not_attempted"}:
                message += " before the first record: is stop_before_timeout as long as the function's own timeout"
        if ended_late:
            message += (
                f". {ended_late} handler{'s' if ended_late > 1 else ''} of earlier batches ended after the response, "
                "which had named the records as failed"
            )
        extra = {
            "batch_source": batch.source,
            "batch_counts": dict(counts),
            "batch_duration": duration,
            "ended_late": ended_late,
        }
        log = self._logger.warning if ended_late or out_of_time else self._logger.info
        log("%s.", message, extra=extra)

    @_guarded
    def tasks_left(self, names: Sequence[str]) -> None:
        """Log at WARNING that handlers returned before tasks that they had started; of each, what runs, and where."""
        named = ", ".join(map(plain, names[:MOST_NAMES]))
        more = f", and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        self._logger.warning(
            "Handlers of %s returned before %s had ended that they had started: %s%s. Their records count as done, and "
            "the tasks go on only while a batch runs. A handler awaits what its record needs, with asyncio.gather() or "
            "an asyncio.TaskGroup.",
            self._batch.source,
            "a task" if len(names) == 1 else f"{len(names)} tasks",
            named,
            more,
            extra={"batch_source": self._batch.source, "tasks_left": [plain(name) for name in names[:MOST_NAMES]]},
        )

    @_guarded
    def nobody_delivers(self) -> None:
        """Log that a handler asked for a dead letter where nobody delivers any."""
        self._logger.error(
            "A handler raised DeadLetterRecord and nobody delivers dead letters, so the record is retried. Pass a "
            "plugin that implements deliver_dead_letter(outcome), such as those of the package batchcore-deadletter."
        )

    @_guarded
    def went_wrong(
        self, what: str, error: BaseException, plugin: object = None, *, position: int | None = None
    ) -> None:
        """Log that something besides a record failed and changed no outcome: a plugin's, or called for one record."""
        record = "" if position is None else f" Record {self._name(position)} of {self._batch.source}."
        arguments = (what, summary_of(error).rstrip("."), _whose(plugin), record)
        self._log_error("%s raised %s; no outcome changes.%s%s", arguments, error, position)

    @_guarded
    def not_delivered(self, position: int, problem: BaseException, plugin: object) -> None:
        """Log at ERROR what kept a dead letter from being delivered, so that its record is retried."""
        arguments = (summary_of(problem).rstrip("."), self._name(position), self._batch.source, _whose(plugin))
        self._log_error("deliver_dead_letter() raised %s; record %s of %s is retried.%s", arguments, problem, position)

    def _log_error(self, message: str, arguments: tuple[Any, ...], error: BaseException, position: int | None) -> None:
        shown = self._tracebacks_of_errors > 0 and _can_be_printed(error)
        self._tracebacks_of_errors -= shown
        exc_info = (type(error), error, error.__traceback__) if shown else None
        fields = {} if position is None else self._fields(position, error, "retry")
        extra = fields or {"batch_source": self._batch.source, "failure_chain": chain_of(error)}
        self._logger.error(message, *arguments, exc_info=exc_info, extra=extra)


def _whose(plugin: object) -> str:
    return "" if plugin is None else f" Plugin: {plain(getattr(plugin, '__name__', None) or type_name(plugin))}."


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts.items()) or "no records"


def _somebody_listens(logger: logging.Logger) -> bool:
    """Whether a record logged here would reach a handler that does anything with it."""
    if not logger.isEnabledFor(logging.WARNING):
        return False
    current: logging.Logger | None = logger
    is_configured = False
    while current is not None:
        for handler in current.handlers:
            if type(handler) is not logging.NullHandler:
                return True
            is_configured = True
        current = current.parent if current.propagate else None
    return not is_configured  # then logging's handler of last resort prints it


def _is_pydantic(error: BaseException) -> bool:
    module = sys.modules.get("pydantic_core")
    return module is not None and isinstance(error, module.ValidationError)


_printable: set[tuple[object, ...]] = set()
"""Kinds of exceptions that were printed well, by where they were raised: to print one takes 0.1 ms."""
_MOST_PRINTABLE = 200


def _can_be_printed(error: BaseException) -> bool:
    """Whether every sink can write the printed form of an exception, it is not too long, and it quotes no input."""
    try:
        if any(_is_pydantic(current) or len(text_of(current)) > LONGEST_TEXT for current in chained(error)):
            return False
        place = _where_raised(error)
        if place in _printable and is_writable(text_of(error)):
            return True
        printed = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception:  # an exception whose cause, say, is a property that raises
        return False
    can_be = len(printed) <= _LONGEST_PRINTED and is_writable(printed)
    if can_be and place:
        if len(_printable) >= _MOST_PRINTABLE:
            _printable.clear()
        _printable.add(place)
    return can_be


def _where_raised(error: BaseException) -> tuple[object, ...]:
    """Return what tells that the next exception is printed as one before but for its text; empty where nothing does."""
    alone = error.__cause__ is None and error.__context__ is None and not members_of(error) and not _notes_of(error)
    if not alone or isinstance(error, SyntaxError):  # which has a file of its own
        return ()
    frames: list[object] = []
    current = error.__traceback__
    while current is not None and len(frames) < _MOST_FRAMES:
        code = current.tb_frame.f_code
        frames.append((code.co_filename, code.co_name, current.tb_lineno))
        current = current.tb_next
    return () if current is not None else (type_name(error), *frames)


def _frames_of(error: BaseException) -> str:
    """Return what is printed of an exception whose printed form will not do: its frames, and a line for each other."""
    frames = plain(
        "".join(traceback.format_tb(error.__traceback__, -_MOST_FRAMES)).rstrip(), _LONGEST_PRINTED, keep="\n\t"
    )
    more = [f"{each['relation']}: {each['type']}: {each['text']}" for each in chain_of(error)[1:]]
    return "\n".join([frames, *more])


def _text_of_exception(error: BaseException) -> str:
    return _without_input(error) if _is_pydantic(error) else text_of(error)


def _notes_of(error: BaseException) -> Sequence[object]:
    notes = _attribute(error, "__notes__")
    try:
        return [notes] if isinstance(notes, str) else list(notes or ())
    except Exception:  # no sequence, or one of somebody's own that raises
        return ()


def _is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, (list, tuple))


def _plain_json(value: Any, depth: int = 3) -> Any:
    """Return a value as every formatter of JSON can write it: plain texts, numbers, and objects and lists of those."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if is_object(value) and depth:
        return {plain(key): _plain_json(inner, depth - 1) for key, inner in value.items()}
    if _is_sequence(value) and depth:
        return [_plain_json(inner, depth - 1) for inner in value]
    return value if isinstance(value, float) and isfinite(value) else plain(value)


def _without_input(error: Any) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    named = "; ".join(
        f"{_place(p['loc'])}: {p['type' if p['type'] == 'union_tag_invalid' else 'msg']}"  # that message quotes it
        for p in problems[:5]
    )
    more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
    return f"{error.title}: {named}{more}"


def _place(loc: tuple[int | str, ...]) -> str:
    """Return where in a record: fields by their names, items by their numbers, keys of dictionaries as stars."""
    parts = (str(p) if (p < _HIGHEST_INDEX if isinstance(p, int) else _is_declared(p)) else "*" for p in loc)
    return ".".join(parts) or "record"


_declared: set[str] = set()


def _is_declared(name: str) -> bool:
    """Whether a model of this process has a field of this name. A name not seen before may be of a new model."""
    if name not in _declared:
        models: list[Any] = [sys.modules["pydantic"].BaseModel]
        while models:
            model = models.pop()
            models += model.__subclasses__()
            for field_name, field in model.model_fields.items():
                names = (field_name, field.alias, field.validation_alias)
                _declared.update(known for known in names if isinstance(known, str))
    return name in _declared


class Deferred(RecordError):
    """An earlier record of the batch comes again, and this one with it, so it is no dead letter yet."""
