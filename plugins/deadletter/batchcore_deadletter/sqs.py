"""Dead letters to an Amazon SQS queue."""

from __future__ import annotations

import re

from batchcore import ConfigurationError
from batchcore_deadletter.delivery import LARGEST_MESSAGE, Deliverer, Target, matched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_URL = re.compile(r"https?://(?P<host>[^/\s?#@]+)/(?:[^\s?#]*/)?(?P<name>[\w-]+(?:\.fifo)?)")
_NAME = r"[a-z]+(?:-[a-z]+)+-\d+"
# sqs.eu-west-1.amazonaws.com, eu-west-1.queue.amazonaws.com, and their kin: FIPS, VPC endpoints, other partitions
_REGION = re.compile(rf"(?:^|\.)sqs(?:-fips)?\.(?P<region>{_NAME})\.|^(?P<legacy>{_NAME})\.queue\.")


class SQSDeadLetters(Deliverer):
    """Delivers dead letters to an SQS queue, standard or FIFO. Pass it to a processor as one of its ``plugins``.

    What is sent is the message that the record was: body and attributes unchanged, and two attributes more,
    ``DeadLetterReason`` and, where there is room, ``DeadLetterIdentifier``. On a FIFO queue the deduplication id is the
    record's identifier, and the group the one that the record had, else a group of its own. A trace header of AWS X-Ray
    goes with it, so that the trace does not end here.

    Delivery is at least once: when the invocation fails after it, the record comes again, and so does its dead letter.
    A FIFO queue drops the second one within five minutes of the first.

    A request is tried up to three times by boto3, each with 2 seconds to connect and 5 to wait for the response: a
    service that is silent costs up to about 18 seconds. A message that SQS alone failed to take is sent once more.

    The function needs ``sqs:SendMessage`` on the queue and, where the queue is encrypted with a key of KMS that you
    manage, ``kms:GenerateDataKey`` and ``kms:Decrypt`` on the key.

    Limits of AWS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html

    Args:
        queue_url: the URL of the queue.
        maximum_size: the bytes that the queue takes, of one message with its attributes and of a request. For a queue
            whose ``MaximumMessageSize`` is lower.
        client: a boto3 client of SQS. When None, one is made at first need, in the region of the URL, and kept.

    Raises:
        ConfigurationError: one of them cannot be used.
    """

    def __init__(self, queue_url: str, *, maximum_size: int = LARGEST_MESSAGE, client: Any = None) -> None:
        match = matched(_URL, queue_url)
        if match is None:
            raise ConfigurationError(
                "queue_url is the URL of a queue, such as https://sqs.eu-west-1.amazonaws.com/123456789012/name, not "
                f"{queue_url!r}."
            )
        region = _REGION.search(match["host"])
        self.queue_url = queue_url
        super().__init__(
            Target(
                "sqs",
                "send_message_batch",
                self._send,
                body="MessageBody",
                region=region and (region["region"] or region["legacy"]),
                fifo=match["name"].endswith(".fifo"),
                maximum_size=maximum_size,
                traced=True,
                client=client,
            )
        )

    def _send(self, client: Any, entries: list[dict[str, Any]]) -> Any:
        return client.send_message_batch(QueueUrl=self.queue_url, Entries=entries)

    def __repr__(self) -> str:
        return f"SQSDeadLetters({self.queue_url!r})"
