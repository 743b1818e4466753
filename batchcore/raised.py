"""What a handler may raise to say what becomes of its record, and what a call to the outside fails with in the end.

Part of the tree that :mod:`batchcore.errors` draws; apart from it, because most functions never need them.
"""

from __future__ import annotations

from batchcore.errors import OutOfTimeError, RaisedDisposition


class RetryRecord(RaisedDisposition):
    """Report this record as failed, so that AWS delivers it again. What any other exception does, too."""


class DropRecord(RaisedDisposition):
    """Give this record up: it is done, and AWS does not deliver it again."""


class DeadLetterRecord(RaisedDisposition):
    """Hand this record to the plugin that delivers dead letters. It is done once that has delivered it."""


class StopBatch(RaisedDisposition):
    """Report this record as failed and start no further one: a dependency is down, and the next will meet the same."""


class OutsideCallError(OutOfTimeError, TimeoutError):
    """A call after the records, to a deliverer or a plugin, had not ended when its time was up. It was left behind."""
