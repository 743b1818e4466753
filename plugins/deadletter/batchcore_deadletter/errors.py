"""Why a dead letter was not delivered. One tree::

DeadLetterError (also batchcore.BatchcoreError)   the record is retried
├── MessageLimitError                             AWS would refuse the message, so it was not sent
└── NotDeliveredError                             it was sent, or was to be, and AWS has not confirmed it

None of them carries the body of a message.
"""

from __future__ import annotations

from batchcore import BatchcoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class DeadLetterError(BatchcoreError):
    """A dead letter was not delivered, and its record is retried.

    Attributes:
        identifier: the identifier of the record.
    """

    def __init__(self, message: str, *, identifier: Any) -> None:
        super().__init__(message)
        self.identifier = identifier


class MessageLimitError(DeadLetterError):
    """A dead letter does not fit what AWS takes. Nothing was sent.

    Attributes:
        limit: what it exceeds: ``attributes``, ``size``, ``characters`` or ``form``.
        seen: how many there were: attributes, bytes, or the code point of the first character that is refused. None
            for ``form``, a body or an attribute of a kind that boto3 does not take.
        allowed: how many fit, or None where that is no number.
    """

    def __init__(
        self, message: str, *, identifier: Any, limit: str, seen: int | None = None, allowed: int | None = None
    ) -> None:
        super().__init__(message, identifier=identifier)
        self.limit = limit
        self.seen = seen
        self.allowed = allowed


class NotDeliveredError(DeadLetterError):
    """AWS has not confirmed a dead letter. The exception of boto3 is chained, where there was one.

    Attributes:
        code: AWS's error code, or the class of the exception; None where there was no response for this message.
        sender_fault: whether AWS calls it the sender's fault, or None where it does not say.
    """

    def __init__(
        self, message: str, *, identifier: Any, code: str | None = None, sender_fault: bool | None = None
    ) -> None:
        super().__init__(message, identifier=identifier)
        self.code = code
        self.sender_fault = sender_fault
