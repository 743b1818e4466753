"""What becomes of a record whose handler raised."""

from __future__ import annotations

from enum import Enum

from batchcore.errors import OutOfTimeError
from batchcore.raised import DeadLetterRecord, DropRecord, OutsideCallError, RetryRecord, StopBatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


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
    """Say whether a failure may be the record's own. A handler that hangs may be; a step for all records is not."""
    return not isinstance(error, OutsideCallError)


def disposition_of(error: BaseException, dispositions: Mapping[type[BaseException], Disposition]) -> Disposition:
    """Say what becomes of a record that failed with this.

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
