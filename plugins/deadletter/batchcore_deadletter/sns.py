"""Dead letters to an Amazon SNS topic."""

from __future__ import annotations

import re

from batchcore import ConfigurationError
from batchcore_deadletter.delivery import Deliverer, Target, matched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

USUAL_SIZE = 262_144
"""Bytes of a message that a topic takes, unless its ``MaximumMessageSize`` says otherwise."""

_ARN = re.compile(r"arn:aws[\w-]*:sns:(?P<region>[a-z0-9-]+):\d{12}:(?P<name>[\w-]{1,256}(?:\.fifo)?)", re.ASCII)


class SNSDeadLetters(Deliverer):
    """Delivers dead letters to an SNS topic, standard or FIFO. Pass it to a processor as one of its ``plugins``.

    What is sent is the message that the record was: body and attributes unchanged, and two attributes more,
    ``DeadLetterReason`` and, where there is room, ``DeadLetterIdentifier``. On a FIFO topic the deduplication id is the
    record's identifier, and the group the one that the record had, else a group of its own.

    The trace header of a message is not sent: a message of SNS has no place for one, and the request is of the trace of
    the function.

    A dead letter counts as delivered when SNS has taken it. What becomes of it then is between the topic and its
    subscribers: one without a subscriber is gone.

    Delivery is at least once: when the invocation fails after it, the record comes again, and so does its dead letter.
    A FIFO topic drops the second one within five minutes of the first.

    A request is tried up to three times by boto3, each with 2 seconds to connect and 5 to wait for the response: a
    service that is silent costs up to about 18 seconds. A message that SNS alone failed to take is sent once more.

    The function needs ``sns:Publish`` on the topic and, where the topic is encrypted with a key of KMS that you manage,
    ``kms:GenerateDataKey`` and ``kms:Decrypt`` on the key.

    Limits of AWS: https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html

    Args:
        topic_arn: the ARN of the topic.
        maximum_size: the bytes that the topic takes, of one message with its attributes and of a request. For a topic
            whose ``MaximumMessageSize`` is not 262,144.
        client: a boto3 client of SNS. When None, one is made at first need, in the region of the ARN, and kept.

    Raises:
        ConfigurationError: one of them cannot be used.
    """

    def __init__(self, topic_arn: str, *, maximum_size: int = USUAL_SIZE, client: Any = None) -> None:
        match = matched(_ARN, topic_arn)
        if match is None:
            raise ConfigurationError(
                f"topic_arn is the ARN of a topic, such as arn:aws:sns:eu-west-1:123456789012:name, not {topic_arn!r}."
            )
        self.topic_arn = topic_arn
        super().__init__(
            Target(
                "sns",
                "publish_batch",
                self._send,
                body="Message",
                region=match["region"],
                fifo=match["name"].endswith(".fifo"),
                maximum_size=maximum_size,
                traced=False,
                client=client,
            )
        )

    def _send(self, client: Any, entries: list[dict[str, Any]]) -> Any:
        return client.publish_batch(TopicArn=self.topic_arn, PublishBatchRequestEntries=entries)

    def __repr__(self) -> str:
        return f"SNSDeadLetters({self.topic_arn!r})"
