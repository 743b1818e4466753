"""Deliverers of dead letters for records of any source: to an Amazon SQS queue, or to an Amazon SNS topic.

A deliverer is passed to a processor as one of its ``plugins``. boto3 is imported when the first dead letter is sent.
"""

from __future__ import annotations

from batchcore_deadletter.errors import DeadLetterError, MessageLimitError, NotDeliveredError
from batchcore_deadletter.sns import SNSDeadLetters
from batchcore_deadletter.sqs import SQSDeadLetters

__all__ = [
    "DeadLetterError",
    "MessageLimitError",
    "NotDeliveredError",
    "SNSDeadLetters",
    "SQSDeadLetters",
]
