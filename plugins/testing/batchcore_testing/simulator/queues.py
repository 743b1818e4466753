"""Queues of SQS in memory, as Lambda receives from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from batchcore import ConfigurationError
from batchcore_testing.simulator.source import Delivery, Settlement, SimulatedSource

if TYPE_CHECKING:
    from batchcore.types import Record
    from batchcore_testing.clock import SimulatedClock
    from batchcore_testing.events import EventFactory, Sent
    from batchcore_testing.simulator.history import Item

_LONGEST_HIDDEN_S = 12 * 60 * 60
_DEDUPLICATION_S = 300
_LEAST_ORDERED = 3  # messages by which one of a standard queue may be late


class _Message:
    """A message as the queue keeps it."""

    __slots__ = ("expires_at", "first_received_at", "handle", "item", "received_at", "receives", "visible_at")

    def __init__(self, item: Item, visible_at: float, expires_at: float) -> None:
        self.item = item
        self.visible_at = visible_at
        self.expires_at = expires_at
        self.receives = 0
        self.received_at = 0.0
        self.first_received_at: float | None = None
        self.handle = ""


class Queue(SimulatedSource):
    """A standard queue of SQS.

    Messages are delivered in no strict order. One that was not deleted is delivered again when its visibility timeout
    is over, and counts its receives. One that was received ``max_receive_count`` times goes to the dead-letter queue
    when it would be received again.

    Args:
        source: the source whose events it makes: an object, the name of one that is installed, or an event factory.
        name: its name.
        visibility_timeout: seconds for which a message that was received is hidden.
        max_receive_count: of its redrive policy; None for no dead-letter queue.
        retention: seconds after which a message is gone.
        factory: makes the events of a source that no package registers.
        clock: tells the time; without one, a new one.

    Attributes:
        dead_letters: what is in the dead-letter queue, in the order in which it got there.
        items: what was sent, in its order.

    See "Using Lambda with Amazon SQS" in the AWS Lambda developer guide.
    """

    PLAYS: ClassVar[Collection[str]] = ("sqs", "pipes-sqs")
    DEFAULT_BATCH_SIZE: ClassVar[int] = 10

    def __init__(
        self,
        source: object = "sqs",
        name: str = "orders",
        *,
        visibility_timeout: float = 30.0,
        max_receive_count: int | None = None,
        retention: float = 345_600.0,
        factory: EventFactory | None = None,
        clock: SimulatedClock | None = None,
    ) -> None:
        super().__init__(source, name, clock, factory)
        if self._is_of_aws and name.endswith(".fifo") and not self.KEYS_ORDER:
            raise ConfigurationError(f"A queue whose name ends in .fifo is a FIFO queue: FifoQueue(name={name!r}).")
        if max_receive_count is not None and not (type(max_receive_count) is int and max_receive_count >= 1):
            raise ConfigurationError(f"max_receive_count is 1 or more, or None; not {max_receive_count!r}.")
        self.visibility_timeout = visibility_timeout
        self.max_receive_count = max_receive_count
        self.retention = retention
        self.dead_letters: list[Item] = []
        self._messages: list[_Message] = []

    def _place(self, sent: Sent, fields: Mapping[str, Any]) -> tuple[int, int]:
        return 0, sent.number - 1

    def _take(self, item: Item, sent: Sent) -> None:
        self._messages.append(_Message(item, self.clock.now, self.clock.now + self.retention))

    def receive(self) -> Delivery | None:
        """Receive a batch, each message for one visibility timeout."""
        self._expire()
        received: list[_Message] = []
        for message in self._candidates():
            if len(received) == self.options.batch_size:
                break
            if self.max_receive_count is not None and message.receives >= self.max_receive_count:
                self._redrive(message)
            else:
                received.append(message)
        if not received:
            return None
        records = [self._received(message) for message in received]
        return Delivery([message.item for message in received], records, self.factory.event(records), received)

    def settle(self, delivery: Delivery, settlement: Settlement) -> None:
        """Delete what is done. What is not stays hidden until its visibility timeout is over."""
        kept = {*settlement.again, *settlement.unacknowledged}
        done = [message for position, message in enumerate(delivery.origin) if position not in kept]
        self.history.end([message.item for message in done], "acknowledged")
        self._remove(done)

    def next_at(self) -> float | None:
        """Return when a message is visible again, or gone."""
        times = [at for message in self._messages for at in (message.visible_at, message.expires_at)]
        return min((at for at in times if at > self.clock.now), default=None)

    def change_message_visibility(
        self,
        QueueUrl: str = "",  # noqa: N803 - boto3's name
        ReceiptHandle: str = "",  # noqa: N803 - boto3's name
        VisibilityTimeout: int = 0,  # noqa: N803 - boto3's name
    ) -> dict[str, Any]:
        """Hide a message for another time from now on, as the call of boto3 does.

        Raises:
            ValueError: there is no message in flight with this handle, or the time goes beyond twelve hours since the
                message was received. SQS refuses that, it does not shorten it.
        """
        refusal = self._change(ReceiptHandle, VisibilityTimeout)
        if refusal is not None:
            raise ValueError(refusal)
        return {}

    def change_message_visibility_batch(
        self,
        QueueUrl: str = "",  # noqa: N803 - boto3's name
        Entries: Sequence[Mapping[str, Any]] = (),  # noqa: N803 - boto3's names
    ) -> dict[str, Any]:
        """Hide up to ten messages for another time, as the call of boto3 does. The queue can stand for its client.

        Raises:
            ValueError: there are none, or more than ten.
        """
        if not 1 <= len(Entries) <= 10:
            raise ValueError(f"A call changes 1 to 10 messages, not {len(Entries)}.")
        successful: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        for entry in Entries:
            refusal = self._change(entry["ReceiptHandle"], entry["VisibilityTimeout"])
            if refusal is None:
                successful.append({"Id": entry["Id"]})
            else:
                failed.append(
                    {"Id": entry["Id"], "SenderFault": True, "Code": "InvalidParameterValue", "Message": refusal}
                )
        return {"Successful": successful, "Failed": failed}

    # What differs in a FIFO queue.

    def _candidates(self) -> Iterable[_Message]:
        """Return what may be received now, in the order of this receive."""
        visible = [message for message in self._messages if message.visible_at <= self.clock.now]
        late = {id(message): self.random.uniform(0, _LEAST_ORDERED) for message in visible}
        places = {id(message): place for place, message in enumerate(visible)}
        return sorted(visible, key=lambda message: places[id(message)] + late[id(message)])

    # Shared.

    def _received(self, message: _Message) -> Record:
        now = self.clock.now
        message.receives += 1
        message.received_at = now
        message.visible_at = now + self.visibility_timeout
        if message.first_received_at is None:
            message.first_received_at = now
        record = self.record_of(message.item, attempt=message.receives, first_received_at=message.first_received_at)
        message.handle = record.get("receiptHandle", "")
        return record

    def _change(self, handle: str, seconds: float) -> str | None:
        message = next((message for message in self._messages if handle and message.handle == handle), None)
        if message is None or message.visible_at <= self.clock.now:
            return "There is no message in flight with this receipt handle."
        if not 0 <= self.clock.now + seconds - message.received_at <= _LONGEST_HIDDEN_S:
            return "A message is hidden for twelve hours since its receive, at most."
        message.visible_at = self.clock.now + seconds
        return None

    def _redrive(self, message: _Message) -> None:
        self.dead_letters.append(message.item)
        self.history.end([message.item], "dead-letter queue")
        self._remove([message])

    def _expire(self) -> None:
        gone = [message for message in self._messages if message.expires_at <= self.clock.now]
        self.history.end([message.item for message in gone], "expired")
        self._remove(gone)

    def _remove(self, messages: Iterable[_Message]) -> None:
        gone = {id(message) for message in messages}
        self._messages = [message for message in self._messages if id(message) not in gone]


class FifoQueue(Queue):
    """A FIFO queue of SQS.

    Messages of a group are delivered in the order in which they were sent. While one of them is in flight, or hidden,
    no other of its group is delivered. Messages that were received and not attempted gain a receive too, so that they
    may reach the dead-letter queue untried.

    The arguments are those of :class:`Queue`; the name ends in ``.fifo``.

    See "FIFO delivery logic" in the SQS developer guide.
    """

    LARGEST_BATCH: ClassVar[int] = 10
    KEYS_ORDER: ClassVar[bool] = True

    def __init__(
        self,
        source: object = "sqs",
        name: str = "orders.fifo",
        *,
        visibility_timeout: float = 30.0,
        max_receive_count: int | None = None,
        retention: float = 345_600.0,
        factory: EventFactory | None = None,
        clock: SimulatedClock | None = None,
    ) -> None:
        super().__init__(
            source,
            name,
            visibility_timeout=visibility_timeout,
            max_receive_count=max_receive_count,
            retention=retention,
            factory=factory,
            clock=clock,
        )
        if not name.endswith(".fifo"):
            raise ConfigurationError(f"The name of a FIFO queue ends in .fifo; not {name!r}.")
        self._seen: dict[str, tuple[float, Item]] = {}

    def _send(self, content: Any, key: str | None, fields: Mapping[str, Any]) -> Item:
        if key is None:
            raise ConfigurationError("A message of a FIFO queue has a group: send(..., key='customer-1').")
        deduplication_id: Any = fields.get("attributes", {}).get("MessageDeduplicationId")
        if deduplication_id is not None:
            at, item = self._seen.get(deduplication_id, (float("-inf"), None))
            if item is not None and self.clock.now - at < _DEDUPLICATION_S:
                return item  # accepted, and not delivered a second time
        item = super()._send(content, key, fields)
        if deduplication_id is not None:
            self._seen[deduplication_id] = (self.clock.now, item)
        return item

    def _candidates(self) -> Iterator[_Message]:
        """Return the groups of which nothing is hidden, one after the other, each in its order."""
        now = self.clock.now
        blocked = {message.item.lane for message in self._messages if message.visible_at > now}
        groups: dict[Any, list[_Message]] = {}
        for message in self._messages:
            if message.item.lane not in blocked:
                groups.setdefault(message.item.lane, []).append(message)
        for messages in groups.values():
            yield from messages
