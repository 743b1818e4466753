"""Failures: what is logged of them, and what is kept of an exception. Never an input or a body.

A pydantic error quotes the input it refused, so it is described without it, also where it is the cause of another
exception. What a handler writes into its own exceptions is logged as it is. Of frames, those of the user's own code are
logged and one of ours; all of them at DEBUG. Failures of one kind are logged once, and then counted.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from contextlib import suppress
from functools import cache, wraps
from math import isfinite
from types import TracebackType

from batchcore.callables import LONGEST_TEXT, is_object, is_writable, plain, text_of, type_name
from batchcore.errors import RecordError, chained, exception_info, members_of, raise_if_steering

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Literal, TypeAlias, TypeGuard, TypeVar

    from batchcore.model import Batch

    F = TypeVar("F", bound=Callable[..., None])
    Level: TypeAlias = Literal["debug", "warning", "error"]
    # Level, what went wrong, position and text of the first; of the others position, and text where it is another.
    Kind: TypeAlias = tuple[Level, str, int, str, list[tuple[int, str]]]

LOGGER = logging.getLogger("batchcore")
TRACEBACKS_PER_BATCH = 20
"""How many kinds of failures and other errors of one batch are logged with a traceback."""

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
        text = plain(_text_of_exception(current), keep="\n\t")
        entry: dict[str, Any] = {"relation": relation, "type": type_name(current), "text": text}
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

    return guarded  # type: ignore[return-value]  # it takes what the method takes


class Report:
    """The log of one batch.

    Args:
        logger: what to log to: a logger, or anything with its ``warning`` method.
        batch: the batch, which names its records.
        late: an entry per handler of earlier batches that has ended since, which the summary counts and takes.
        handler: the record handler, whose package is the user's own wherever it lies.

    Attributes:
        is_heard: whether anybody listens to what is logged of failed records.
        kinds: what has failed by now, by what went wrong and where.
    """

    __slots__ = ("_batch", "_handler", "_late", "_logger", "_tracebacks", "is_heard", "kinds")

    def __init__(self, logger: logging.Logger | None, batch: Batch, late: list[None], handler: object) -> None:
        self._logger = LOGGER if logger is None else logger
        self._batch = batch
        self._late = late
        self._handler = handler
        self._tracebacks = TRACEBACKS_PER_BATCH
        self.kinds: dict[tuple[object, ...], Kind] = {}
        self.is_heard = logger is not None or _somebody_listens(LOGGER)

    def _is_at_debug(self) -> bool:
        """Whether all is logged. A logger of somebody's own may not say."""
        return hasattr(self._logger, "isEnabledFor") and self._logger.isEnabledFor(logging.DEBUG)

    @_guarded
    def failed(self, position: int, error: BaseException, disposition: str) -> None:
        """Log one failed record at WARNING, with the value of its disposition."""
        becomes = _WHAT_BECOMES_OF_IT.get(disposition, "")
        is_first = self._is_first("warning", f"which failed with {type_name(error)}{becomes}", position, error)
        if is_first or self._is_at_debug():
            fields = self._fields(error, position, disposition)
            attempt = fields["delivery_attempt"]
            delivery = "" if attempt is None else f" (delivery {attempt})"
            arguments = (self._name(position), self._batch.source, delivery, becomes, summary_of(error))
            self._write(is_first, "warning", "Record %s of %s failed%s%s: %s", arguments, error, fields)

    def _name(self, position: int) -> str:
        identifier = self._batch.identifiers[position]
        return f"at position {position}" if identifier is None else plain(identifier)

    def _is_first(self, level: Level, what: str, position: int, error: BaseException) -> bool:
        """Whether nothing of this kind has gone wrong in this batch yet: else it is counted."""
        kind: Kind = level, what, position, summary_of(error), []
        own = traceback.walk_tb(_own_frames(error.__traceback__, self._handler))
        places = [(frame.f_code, line) for frame, line in own]
        *_, text, others = known = self.kinds.setdefault((what, *places), kind)
        if known is not kind:
            is_named = len(others) < MOST_NAMES and kind[3] != text
            others.append((position, f" ({plain(kind[3])})" if is_named else ""))
        return known is kind

    def _write(
        self, is_first: bool, level: Level, message: str, arguments: tuple[str, ...], error: BaseException,
        fields: dict[str, Any],
    ) -> None:  # fmt: skip # one name a line would hide the body
        """Write the first line of a kind, with the user's own frames; and at DEBUG each line, with all frames."""
        if is_first:
            whole = [(each, each.__traceback__) for each in chained(error)]
            try:
                for each, frames in whole:
                    BaseException.with_traceback(each, _own_frames(frames, self._handler))
                self._write_line(level, message, arguments, error, fields)
            finally:
                for each, frames in whole:
                    BaseException.with_traceback(each, frames)
        if self._is_at_debug():
            self._write_line("debug", message, arguments, error, fields)

    def _write_line(
        self, level: Level, message: str, arguments: tuple[str, ...], error: BaseException, fields: dict[str, Any]
    ) -> None:
        exc_info = None
        if (self._tracebacks > 0 or level == "debug") and error.__traceback__ is not None:
            self._tracebacks -= level != "debug"
            if _can_be_printed(error):
                exc_info = exception_info(error)
            else:
                message, arguments = f"{message}\n%s", (*arguments, _frames_of(error))
        getattr(self._logger, level)(message, *arguments, exc_info=exc_info, extra=fields)

    def _fields(self, error: BaseException, position: int | None, disposition: str) -> dict[str, Any]:
        """Return what a line carries as fields, all of it plain JSON."""
        batch = self._batch
        fields: dict[str, Any] = {"batch_source": batch.source, "failure_chain": chain_of(error)}
        if position is not None:
            fields["item_identifier"] = _plain_json(batch.identifiers[position])
            fields["delivery_attempt"] = batch.delivery_attempt(batch.records[position])
            fields["record_description"] = _plain_json(batch.describe_record(batch.records[position]))
            fields["record_disposition"] = disposition
        return fields

    @_guarded
    def counted(self) -> None:
        """Log of each kind of failure that several records had how many more they are, and which."""
        source, identifiers = self._batch.source, self._batch.identifiers
        for level, what, first, _, others in self.kinds.values():
            if others:
                names = ", ".join(self._name(at) + words for at, words in others[:MOST_NAMES])
                named = [_plain_json(identifiers[at]) for at, _ in others[: 10 * MOST_NAMES]]
                extra = {"batch_source": source, "failure_count": len(others), "item_identifiers": named}
                arguments = (self._name(first), source, what, len(others), names, ", ..." * (len(others) > MOST_NAMES))
                getattr(self._logger, level)("Like record %s of %s, %s: %s more, %s%s", *arguments, extra=extra)

    @_guarded
    def finished(self) -> None:
        """Log what became of the batch, at INFO; at WARNING where handlers of earlier batches have ended since."""
        batch, late, duration = self._batch, self._late, self._batch._ledger.duration
        counts, out_of_time = batch._ledger.counts(), batch._ledger.stop == "time"
        ended = len(late)
        del late[:ended]
        message = f"Batch of {len(batch.records)} from {batch.source}: {_counted(counts)}"
        if duration is not None:
            message += f", in {duration:.3f} s"
        if out_of_time:
            message += "; the time was nearly up"
            if counts.keys() == {"not_attempted"}:
                message += " before the first record: is stop_before_timeout as long as the function's own timeout"
        if ended:
            message += (
                f". {ended} handler{'s' if ended > 1 else ''} of earlier batches ended after the response, "
                "which had named the records as failed"
            )
        fields: dict[str, Any] = {"batch_source": batch.source, "batch_counts": dict(counts)}
        fields |= {"batch_duration": duration, "ended_late": ended}
        log = self._logger.warning if ended or out_of_time else self._logger.info
        log("%s.", message, extra=fields)

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
        what = f"for which {what} raised {type_name(error)}"
        self._log_error("%s raised %s; no outcome changes.%s%s", arguments, error, position, what)

    @_guarded
    def not_delivered(self, position: int, problem: BaseException, plugin: object) -> None:
        """Log at ERROR what kept a dead letter from being delivered, so that its record is retried."""
        arguments = (summary_of(problem).rstrip("."), self._name(position), self._batch.source, _whose(plugin))
        message = "deliver_dead_letter() raised %s; record %s of %s is retried.%s"
        what = f"for which deliver_dead_letter() raised {type_name(problem)}"
        self._log_error(message, arguments, problem, position, what)

    def _log_error(
        self, message: str, arguments: tuple[str, ...], error: BaseException, position: int | None, what: str
    ) -> None:
        is_first = position is None or self._is_first("error", what, position, error)
        if is_first or self._is_at_debug():
            self._write(is_first, "error", message, arguments, error, self._fields(error, position, "retry"))


def _whose(plugin: object) -> str:
    return "" if plugin is None else f" Plugin: {plain(getattr(plugin, '__name__', None) or type_name(plugin))}."


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts.items()) or "no records"


def _somebody_listens(logger: logging.Logger) -> bool:
    """Whether a record logged here would reach a handler that does anything with it."""
    if not logger.isEnabledFor(logging.WARNING):
        return False
    current: logging.Logger | None = logger
    handlers: list[logging.Handler] = []
    while current is not None:
        handlers += current.handlers
        current = current.parent if current.propagate else None
    for handler in handlers:
        if type(handler) is not logging.NullHandler:
            return True
    return not handlers  # then logging's handler of last resort prints it


def _is_pydantic(error: BaseException) -> bool:
    module = sys.modules.get("pydantic_core")
    return module is not None and isinstance(error, module.ValidationError)


def _can_be_printed(error: BaseException) -> bool:
    """Whether every sink can write the printed form of an exception, it is not too long, and it quotes no input."""
    try:
        if any(_is_pydantic(current) or len(text_of(current)) > LONGEST_TEXT for current in chained(error)):
            return False
        printed = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception:  # an exception whose cause, say, is a property that raises
        return False
    return len(printed) <= _LONGEST_PRINTED and is_writable(printed)


def _own_frames(whole: TracebackType | None, handler: object) -> TracebackType | None:
    """Return of a traceback the frames of the user's own code, and where batchcore raised below those, its last."""
    own_package = str(getattr(handler, "__module__", None)).partition(".")[0]
    own: list[TracebackType] = []
    raiser = current = whole
    while current is not None:
        package = str(current.tb_frame.f_globals.get("__name__")).partition(".")[0]
        is_ours = package.startswith("batchcore")
        if not is_ours and (package == own_package or not _is_installed(current.tb_frame.f_code.co_filename, package)):
            own.append(current)
            raiser = None
        elif is_ours or not own:
            raiser = current
        current = current.tb_next
    made: TracebackType | None = None
    for each in reversed(own if raiser is None else [*own, raiser]):
        made = TracebackType(made, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return made


@cache
def _is_installed(file: str, package: str) -> bool:
    """Whether a file is of Python itself, or of what is installed: also beside the function, as pip leaves it there."""
    folder = file.rpartition(f"{os.sep}{package}{os.sep}")[0] or os.path.dirname(file)  # noqa: PTH120 - to import pathlib costs a millisecond
    if file.startswith(("<frozen", os.path.dirname(os.__file__))) or folder.endswith("-packages"):  # noqa: PTH120 - as above
        return True
    with suppress(OSError):
        return any(name.startswith(f"{package}-") and name.endswith(".dist-info") for name in os.listdir(folder))  # noqa: PTH208 - as above
    return False


def _frames_of(error: BaseException) -> str:
    """Return what is printed of an exception whose printed form will not do: its frames, and a line for each other."""
    printed = "".join(traceback.format_tb(error.__traceback__, -_MOST_FRAMES)).rstrip()
    frames = plain(printed, _LONGEST_PRINTED, keep="\n\t")
    more = [f"{each['relation']}: {each['type']}: {each['text']}" for each in chain_of(error)[1:]]
    return "\n".join([frames, *more])


def _text_of_exception(error: BaseException) -> str:
    if not _is_pydantic(error):
        return text_of(error)
    from batchcore.models import described

    return described(error)


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


class Deferred(RecordError):
    """An earlier record of the batch comes again, and this one with it, so it is no dead letter yet."""
