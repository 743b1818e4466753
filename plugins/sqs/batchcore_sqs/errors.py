"""What a message fails with because an earlier one did. A branch of the core's tree::

    batchcore.NotAttemptedError
    ├── SQSFifoCircuitBreakerError               an earlier message of the batch failed
    └── SQSFifoMessageGroupCircuitBreakerError   an earlier message of the same message group failed

AWS is told of both as failures, and delivers the messages again.
"""

from __future__ import annotations

from batchcore import NotAttemptedError


class SQSFifoCircuitBreakerError(NotAttemptedError):
    """An earlier message of a FIFO batch failed, so this one was not attempted.

    AWS asks for it: a function that reads a FIFO queue stops at the first failure, and reports that message and all
    that follow. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html

    Args:
        message: the text of the error.
    """

    def __init__(self, message: str = "A previous record failed processing.") -> None:
        super().__init__(message)


class SQSFifoMessageGroupCircuitBreakerError(NotAttemptedError):
    """An earlier message of the same message group failed, so this one was not attempted.

    Args:
        message: the text of the error.
    """

    def __init__(self, message: str = "A previous record from this message group failed processing.") -> None:
        super().__init__(message)
