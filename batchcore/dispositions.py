"""What becomes of a record whose handler raised, what a handler may raise to say so, and a record as a message.

The errors here are part of the tree that :mod:`batchcore.errors` draws; apart from it, because most functions never
need them.
"""

from __future__ import annotations

from enum import Enum

from batchcore.errors import OutOfTimeError, RaisedDisposition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any, Protocol

    from batchcore.types import Record

    class Dispositions(Protocol):
        """A mapping of exception types to what becomes of their records.

        No ``Mapping[type[BaseException], Disposition]``: type checkers would refuse a dictionary of ``ValueError``
        alone, because the type of a mapping's keys is invariant.
        """

        def items(self) -> Collection[tuple[type[BaseException], Disposition]]:
            """Return each exception type with its disposition."""
            ...


class RetryRecord(RaisedDisposition):
    """Report this record as failed, so that AWS delivers it again. What any other exception does, too."""


class DropRecord(RaisedDisposition):
    """Give this record up: it is done, and AWS does not deliver it again."""


class DeadLetterRecord(RaisedDisposition):
    """Hand this record to the plugin that delivers dead letters. It is done once that has delivered it."""


class StopBatch(RaisedDisposition):
    """Report this record as failed and start no further one: a dependency is down, and the next will meet the same."""


class OutsideCallError(OutOfTimeError, TimeoutError):
    """A call after the records, to a deliverer or a plugin, had not ended when its time was up. It was abandoned."""


class Disposition(Enum):
    """What to do with a record whose handler raised.

    Attributes:
        RETRY: report it as failed, so that AWS delivers it again. The default.
        DROP: give it up: it is done, and AWS does not deliver it again.
        DEAD_LETTER: hand it to the plugin that implements ``deliver_dead_letter``; done once that returned.
        STOP_BATCH: report it as failed and start no further record.
    """

    RETRY = "retry"
    DROP = "drop"
    DEAD_LETTER = "dead_letter"
    STOP_BATCH = "stop_batch"


def is_of_the_record(error: BaseException) -> bool:
    """Whether a failure may be the record's own. A handler that hangs may be; a batch hook for all records is not."""
    return not isinstance(error, OutsideCallError)


def disposition_of(error: BaseException, dispositions: Mapping[type[BaseException], Disposition]) -> Disposition:
    """Return what becomes of a record that failed with this.

    The nearest of the exception's classes decides: one that is mapped, or one of those that handlers raise to say so.
    """
    if isinstance(error, OutOfTimeError):
        return Disposition.RETRY  # whatever `Exception` is mapped to: nobody has found anything wrong with this record
    for kind in type(error).__mro__:
        if kind in dispositions:
            return dispositions[kind]
        if kind in _RAISED:
            return _RAISED[kind]
    return Disposition.RETRY


_RAISED: dict[type, Disposition] = {
    RetryRecord: Disposition.RETRY,
    DropRecord: Disposition.DROP,
    DeadLetterRecord: Disposition.DEAD_LETTER,
    StopBatch: Disposition.STOP_BATCH,
}


class Message:
    """What a record was before it was a record: the text to send on, and what travelled beside it.

    Attributes:
        body: the text, as the producer sent it, or the record itself as JSON where it was no message.
        attributes: name to attribute, in the form that SQS and SNS take: ``{"DataType": "String", "StringValue": ...}``
            or ``{"DataType": "Binary", "BinaryValue": ...}``.
        group: what it was ordered by, such as its message group, or None.
        trace_header: the header of AWS X-Ray that travelled with it, such as ``Root=1-5759e988-...``, or None.
    """

    __slots__ = ("attributes", "body", "group", "trace_header")

    def __init__(
        self,
        body: str,
        attributes: Mapping[str, Mapping[str, Any]] | None = None,
        group: str | None = None,
        trace_header: str | None = None,
    ) -> None:
        self.body = body
        self.attributes: Mapping[str, Mapping[str, Any]] = {} if attributes is None else attributes
        self.group = group
        self.trace_header = trace_header

    def __repr__(self) -> str:
        return f"<Message of {len(self.body)} characters, {len(self.attributes)} attributes>"


def record_as_json(record: Record) -> Message:
    """Return a record as the JSON that Lambda delivered. The default of ``original_message``."""
    import json

    return Message(json.dumps(record))
