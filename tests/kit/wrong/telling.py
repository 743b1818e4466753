"""Sources that are wrong in what they say of records, or offer to handlers."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from batchcore import Message, hookimpl
from batchcore.binary import decode_base64
from batchcore.windows import window_of
from batchcore_dynamodb import DynamoDBSource
from batchcore_kinesis import KinesisSource
from batchcore_sqs import SQSSource, message_group


class TakesTheGroupOutForTheLog(SQSSource):
    """Pops the message group off the raw record when a failure is described, where it should only read it.

    A dead letter is described before it is delivered: it has no group any more, a FIFO queue refuses it, and the
    message comes again for ever.
    """

    @hookimpl
    def describe_record(self, record: Any) -> Mapping[str, Any]:
        description = dict(super().describe_record(record))
        if "message_group_id" in description:
            description["message_group_id"] = record["attributes"].pop("MessageGroupId")
        return description


class DescribesTheBody(SQSSource):
    """Describes a message by the beginning of its body.

    Whatever the customer sent, a password or an address, is in the log of each failure.
    """

    @hookimpl
    def describe_record(self, record: Any) -> Mapping[str, Any]:
        return {**super().describe_record(record), "preview": record["body"][:80]}


class DescribesWithDates(KinesisSource):
    """Describes a record with a ``datetime``, which a formatter that writes JSON cannot write.

    The log line of the failure is lost, and what is seen of it is an error of the logging.
    """

    @hookimpl
    def describe_record(self, record: Any) -> Mapping[str, Any]:
        description = dict(super().describe_record(record))
        arrived = record["kinesis"].get("approximateArrivalTimestamp")
        if arrived is not None:
            description["arrived"] = datetime.fromtimestamp(arrived, timezone.utc)
        return description


class KeepsTheBatch(KinesisSource):
    """Keeps the batch on itself when it is asked for the order, for the request's id in the log.

    Records, results and context of a batch stay in memory until the next. Of two batches at once, one is logged under
    the request of the other.
    """

    def __init__(self) -> None:
        self._batch: Any = None

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        self._batch = batch
        return super().ordering_policy(batch)

    @hookimpl
    def describe_record(self, record: Any) -> Mapping[str, Any]:
        request_id = getattr(self._batch and self._batch.context, "aws_request_id", None)
        return {**super().describe_record(record), "request_id": request_id}


class SendsAttributesAsTheyCame(SQSSource):
    """Passes message attributes on in the form in which Lambda delivers them, which nobody can send.

    SQS wants ``DataType`` and ``StringValue``, not ``dataType`` and ``stringValue``: every dead letter with an
    attribute is refused, and retried for ever.
    """

    @hookimpl
    def original_message(self, record: Any) -> Message:
        return Message(record["body"], record.get("messageAttributes") or {}, message_group(record))


class SendsTheBodyDecoded(SQSSource):
    """Gives the body as what its JSON says, a dictionary, where a message has a string.

    SQS refuses it, so every dead letter is retried for ever; what takes it anyway gets another text than was sent.
    """

    @hookimpl
    def original_message(self, record: Any) -> Message:
        message = super().original_message(record)
        try:
            body = json.loads(message.body)
        except ValueError:
            body = message.body
        return Message(body, message.attributes, message.group)


class ReplacesWhatIsNoText(KinesisSource):
    """Gives the data of a record as text, with U+FFFD for whatever is not UTF-8.

    A dead letter that was binary, as gzip or protobuf is, is destroyed; the stream moves on, and nothing has the data
    any more.
    """

    @hookimpl
    def original_message(self, record: Any) -> Message:
        payload = record["kinesis"]
        return Message(decode_base64(payload["data"], "data").decode(errors="replace"), {}, payload["partitionKey"])


class LocksAroundTheHandler(SQSSource):
    """Holds a ``threading.Lock`` around each handler that asks for its ``client``.

    Under asyncio the second handler blocks the loop on the lock that the first, which can no longer go on, holds. A
    handler that was left behind for lack of time holds it into the next invocation.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @hookimpl
    def handler_arguments(self, batch: Any) -> Mapping[str, Any]:
        @contextmanager
        def client(record: Any) -> Any:
            if not self._lock.acquire(timeout=1):
                raise TimeoutError("the client is in use")
            try:
                yield self
            finally:
                self._lock.release()

        return {"client": client}


class Connection:
    """As little of a database as is needed."""

    def __init__(self) -> None:
        self._open: list[Any] | None = None
        self.written: list[Any] = []

    def begin(self) -> None:
        if self._open is not None:
            raise RuntimeError("cannot start a transaction within a transaction")
        self._open = []

    def write(self, row: Any) -> None:
        assert self._open is not None
        self._open.append(row)

    def commit(self) -> None:
        self.written += self._open or ()
        self._open = None


class PutsAnOpenTransactionBack(DynamoDBSource):
    """Gives handlers a ``connection`` in a transaction, and after a failure puts it back without rolling it back.

    The next record that gets it fails as well, though nothing is wrong with it; then the next.
    """

    def __init__(self) -> None:
        self._idle: list[Connection] = []

    @hookimpl
    def handler_arguments(self, batch: Any) -> Mapping[str, Any]:
        @contextmanager
        def connection(record: Any) -> Any:
            held = self._idle.pop() if self._idle else Connection()
            try:
                held.begin()
                yield held
                held.commit()
            finally:
                self._idle.append(held)

        return {**super().handler_arguments(batch), "connection": connection}


class GivesAGenerator(SQSSource):
    """Forgot ``@contextmanager`` on the function behind its argument ``received_at``, which so gives a generator.

    Handlers that do not ask for it work. Of one that does every record fails.
    """

    @hookimpl
    def handler_arguments(self, batch: Any) -> Mapping[str, Any]:
        def received_at(record: Any) -> Any:
            yield int(record["attributes"]["ApproximateFirstReceiveTimestamp"]) / 1000

        return {"received_at": received_at}


class KeepsWhatAFailureWrote(KinesisSource):
    """Writes the state of a window down in a ``finally``: after a handler that raised, too.

    What the failed record had added goes out with the state, and is added again when the record comes again. Totals
    are too high.
    """

    @hookimpl
    def handler_arguments(self, batch: Any) -> Mapping[str, Any]:
        given = dict(super().handler_arguments(batch))
        window: Any = window_of(batch)
        if window is not None:

            @contextmanager
            def state(record: Any) -> Any:
                current = window.state
                try:
                    yield current
                finally:
                    window._first = json.dumps(current).encode()

            given["state"] = state
        return given
