"""The record whose handler runs here, and what a log line says of it."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from logging import LogRecord
from math import isfinite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token
    from typing import Any, TypeAlias

    from batchcore import Batch

    Fields: TypeAlias = Callable[[Any], Mapping[str, Any]]

# What a log record has, and formatters set. A field of such a name would take its place.
_OF_LOGGING = frozenset((*vars(LogRecord("", 0, "", 0, "", (), None)), "message", "asctime", "taskName"))
_DEPTH = 3
_LONGEST = 1_000  # characters of a text
_LARGEST = 10**300  # a number of more digits is no text to Python, sooner or later


class RecordContext:
    """One record while its handler runs: a scope, open in the thread or task of the record.

    What a line says of it is put together when the first line is written. Most handlers write none.

    Args:
        batch: the batch that it is of.
        position: where in the batch.
        describe: whether its description is among the fields.
        more: the raw record to further fields.
    """

    __slots__ = ("_bound", "_describe", "_fields", "_more", "_token", "batch", "position")

    _token: Token[RecordContext | None]

    def __init__(self, batch: Batch, position: int, describe: bool, more: Fields | None) -> None:
        self.batch = batch
        self.position = position
        self._describe = describe
        self._more = more
        self._fields: dict[str, Any] | None = None
        self._bound: dict[str, Any] | None = None

    def __enter__(self) -> None:
        self._token = current.set(self)

    def __exit__(self, *exception: object) -> None:
        try:  # noqa: SIM105 - suppress() would be a tenth of what all this costs a record
            current.reset(self._token)
        except ValueError:
            # Of a record that is abandoned the scope is closed elsewhere, and what still runs of it goes on to have it.
            pass

    def fields(self) -> dict[str, Any]:
        """Return what a line says of the record, all of it plain JSON."""
        fields = self._fields
        if fields is None:
            batch, record = self.batch, self.batch.records[self.position]
            self._fields = fields = {
                "batch_source": batch.source,
                "item_identifier": _plain_json(batch.identifiers[self.position]),
                "delivery_attempt": batch.delivery_attempt(record),
            }
            if self._describe:
                fields["record_description"] = _plain_json(batch.describe_record(record))
            if self._more is not None:
                # After self._fields is set: it may write a line itself.
                fields = {**_more_of(self._more, record), **fields}
            self._fields = fields = {
                name: value for name, value in fields.items() if value is not None and name not in _OF_LOGGING
            }
        return fields if self._bound is None else {**fields, **self._bound}

    def bind(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add fields to the lines that are still written of the record, and return them as plain JSON."""
        plain = {name: _plain_json(value) for name, value in fields.items() if name not in _OF_LOGGING}
        # A new dictionary each time: another thread of the handler may be reading the old one.
        self._bound = {**(self._bound or {}), **plain}
        return plain


current: ContextVar[RecordContext | None] = ContextVar("batchcore_logs", default=None)
"""The record whose handler runs here."""


def bind(**fields: Any) -> None:
    """Add fields to each line that is logged from here on in this handler. They are gone when the record ends.

    Outside of a handler it does nothing, so that what handlers call can be called elsewhere.

    Args:
        fields: name to value. What JSON does not know is written as text.
    """
    context = current.get()
    if context is not None:
        context.bind(fields)


def _more_of(more: Fields, record: Any) -> dict[str, Any]:
    """Return the user's fields. A log line never raises: what goes wrong is a field itself."""
    try:
        return {_plain(name): _plain_json(value) for name, value in more(record).items()}
    except Exception as error:
        from batchcore.failures import summary_of

        return {"log_context_error": summary_of(error)}


def _plain_json(value: Any, depth: int = _DEPTH) -> Any:
    """Return a value as every formatter can write it. One that cannot may raise out of the log call, into the handler.

    AWS's runtime client does, in the JSON log format. The record would fail of its log line.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else _plain(value)
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else _plain(value)
    if depth and isinstance(value, Mapping):
        inside: Any = value
        return {_plain(key): _plain_json(inner, depth - 1) for key, inner in inside.items()}
    if depth and isinstance(value, (list, tuple)):
        items: Any = value
        return [_plain_json(inner, depth - 1) for inner in items]
    return _plain(value)


def _plain(value: object) -> str:
    """Return a text that every sink can write, and that no reader takes for a line of its own."""
    try:
        text = str(value)[:_LONGEST]
    except Exception:
        return f"something of the type {type(value).__name__}"
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
