"""What becomes of a record whose handler raised."""

from __future__ import annotations

from enum import Enum


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
