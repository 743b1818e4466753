"""Payloads in S3, to which a record points in the format of the Amazon SQS extended client."""

from __future__ import annotations

import sys
import threading
from weakref import WeakSet

from batchcore import ConfigurationError, RecordView, hookimpl
from batchcore.records import decode_text, is_object
from batchcore_envelopes.envelopes import Envelope, checked_size, object_in
from batchcore_envelopes.errors import PayloadError, PayloadsNotDeletedError
from batchcore_envelopes.opening import Envelopes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Mapping
    from typing import Any

    from batchcore import Batch, BatchResult
    from batchcore_envelopes.envelopes import Content
    from batchcore_envelopes.opening import Place

LARGEST = 64 * 1024 * 1024
"""How many bytes a payload may have, unless the caller says otherwise."""

CONNECT_TIMEOUT, READ_TIMEOUT, ATTEMPTS = 2, 5, 3  # seconds, seconds, and how often a request is tried
CONNECTIONS = 50  # that are kept: with botocore's 10, more threads open one anew each time, and it warns of that
_making = threading.Lock()  # not the object's own, which could not be copied then, nor records that it has opened
_AT_ONCE = 1_000  # objects that one request deletes

# What the extended clients call the pointer, and the attribute of a message that has one; the older names second.
_CLASSES = ("software.amazon.payloadoffloading.PayloadS3Pointer", "com.amazon.sqs.javamessaging.MessageS3Pointer")
_MARKS = ("ExtendedPayloadSize", "SQSLargePayloadSize")


class S3Pointer(RecordView):
    """Where a payload was: the bucket and the key."""

    __slots__ = ()

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return str(self.raw_event["s3BucketName"])

    @property
    def key(self) -> str:
        """The key of the object."""
        return str(self.raw_event["s3Key"])


class S3Payloads(Envelope):
    """A payload that was too large for a message, so that its producer put it into S3 and sent a pointer to it.

    A record without a pointer is passed on as it is: producers send what is small enough as it is. What looks like a
    pointer counts as one if the message has the attribute that the extended clients set.

    The function needs ``s3:GetObject`` on the objects, and ``s3:DeleteObject`` to delete them. A request is tried up to
    three times, each with 2 seconds to connect and 5 to wait.

    https://github.com/awslabs/amazon-sqs-java-extended-client-lib

    Args:
        buckets: the buckets from which payloads may be read. Whoever can send a message could otherwise let the
            function read, and delete, whatever it may.
        delete: whether a payload is deleted when its record has succeeded. See :class:`DeletingEnvelopes` on when.
        largest: how many bytes a payload may have. It is asked before anything is read.
        marked: whether a pointer counts only with the attribute. Some messages lack it: those of a reader or a topic
            that did not pass it on.
        client: a client of S3, as boto3 makes it. When None, one is made at the first payload, and kept.

    Raises:
        ConfigurationError: one of them cannot be used.
    """

    name = "pointer to a payload in S3"

    def __init__(
        self,
        buckets: Collection[str],
        *,
        delete: bool = False,
        largest: int = LARGEST,
        marked: bool = True,
        client: Any = None,
    ) -> None:
        if isinstance(buckets, str) or not buckets or not all(isinstance(bucket, str) for bucket in buckets):
            raise ConfigurationError(f"buckets is a list of names of buckets, one at least, not {buckets!r}.")
        if client is not None and not callable(getattr(client, "get_object", None)):
            raise ConfigurationError(f'client is a client of S3, as boto3.client("s3") gives it, not {client!r}.')
        if client is None:
            _require_botocore()
        self.delete = delete
        self._buckets = frozenset(buckets)
        self._largest = checked_size(largest)
        self._marked = marked
        self._client = client

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the client, which cannot be copied. The handler may copy a record, or send it to a process."""
        return {**vars(self), "_client": None}

    def open(self, content: Content, field: str, around: Mapping[str, Any]) -> tuple[Content, Mapping[str, Any] | None]:
        """Return the payload, and the pointer; the content itself and None where it is no pointer.

        Raises:
            PayloadError: it may not be read, or could not be.
        """
        pointer = self.pointer_in(content, field, around)
        return (content, None) if pointer is None else (self._fetched(pointer, field), pointer)

    def pointer_in(self, content: Content, field: str, around: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the pointer that content is, or None where it is none."""
        if content.lstrip()[:1] not in ("[", b"["):  # most messages are no list, and need not be parsed
            return None
        value = object_in(content, field)
        if not isinstance(value, list) or len(value) != 2 or value[0] not in _CLASSES:
            return None
        pointer: Any = value[1]
        is_one = is_object(pointer) and all(isinstance(pointer.get(name), str) for name in ("s3BucketName", "s3Key"))
        return pointer if is_one and (_is_marked(around) or not self._marked) else None

    def inside(self, field: str) -> str:
        """Name the payload."""
        return f"The payload of {field}"

    def view(self) -> type[RecordView]:
        """Return the view of a pointer."""
        return S3Pointer

    def may_read(self, bucket: str) -> bool:
        """Whether payloads may be read from a bucket."""
        return bucket in self._buckets

    def _fetched(self, pointer: Mapping[str, Any], field: str) -> str:
        if not self.may_read(pointer["s3BucketName"]):
            raise PayloadError(
                f"{field} points to a payload in a bucket that is not among those of S3Payloads(), so it was not read."
            )
        try:
            response = self.client().get_object(Bucket=pointer["s3BucketName"], Key=pointer["s3Key"])
            with response["Body"] as body:
                size = response["ContentLength"]
                data = body.read() if size <= self._largest else b""
        except Exception as error:
            raise PayloadError(
                f"{field} points to a payload in S3 that could not be read: {named(error)}.", code=named(error)
            ) from error
        if size > self._largest:
            raise PayloadError(
                f"{field} points to a payload of {size} bytes; {self._largest} is the most that is read: "
                "S3Payloads(..., largest=)."
            )
        return decode_text(data, self.inside(field))

    def client(self) -> Any:
        """Return the client, made by the first thread that needs it."""
        if self._client is None:
            with _making:
                if self._client is None:
                    self._client = _new_client()
        return self._client


class DeletingEnvelopes(Envelopes):
    """Opens envelopes, and deletes the payloads of records that have succeeded.

    They are deleted after the last record, when the response is ready, and before Lambda has it. If the invocation
    fails after that, the messages come again and their payloads are gone. Kept are the payloads of records that failed,
    were dropped or are dead letters, and those that a record needs which comes again. All are kept where an exception
    is on its way already, and where the response says something else than which records are not done.
    """

    def __init__(self, envelopes: tuple[Envelope, ...], place: Place | None, asynchronous: bool) -> None:
        super().__init__(envelopes, place, asynchronous)
        self._unanswered: WeakSet[Batch] = WeakSet()

    @hookimpl
    def batch_finished(self, result: BatchResult) -> None:
        """Note a batch to which Lambda gets no response: an exception is leaving the block of the context manager."""
        if sys.exc_info()[1] is not None:
            self._unanswered.add(result.batch)

    @hookimpl
    def after_batch(self, result: BatchResult) -> None:
        """Delete them.

        Raises:
            PayloadsNotDeletedError: some are there still. It is logged, and changes nothing else.
        """
        over = set() if result.batch in self._unanswered else _over(result)
        done: dict[tuple[str, str], None] = {}
        needed: set[tuple[str, str]] = set()
        payloads = self._payloads()
        for outcome in result.outcomes if over else ():
            pointer = self._pointer_of(outcome.record)
            if pointer is None:
                continue
            if outcome.position in over and payloads.may_read(pointer[0]):
                done[pointer] = None
            else:
                needed.add(pointer)
        codes: dict[str, int] = {}
        for bucket, keys in _by_bucket(pointer for pointer in done if pointer not in needed):
            for start in range(0, len(keys), _AT_ONCE):
                _delete(payloads.client(), bucket, keys[start : start + _AT_ONCE], codes)
        if codes:
            said = ", ".join(f"{code} ({count})" for code, count in codes.items())
            raise PayloadsNotDeletedError(
                f"Payloads of records that are done could not be deleted from S3: {said}. They stay there.", codes=codes
            )

    def _payloads(self) -> S3Payloads:
        return next(each for each in self._envelopes if isinstance(each, S3Payloads))

    def _pointer_of(self, record: Any) -> tuple[str, str] | None:
        """Return bucket and key of the payload of a raw record, without reading it; None where there is none."""
        try:
            place = self._place_in(record)
            content, around = place.read(record), record
            for envelope in self._envelopes:
                if isinstance(envelope, S3Payloads):
                    pointer = envelope.pointer_in(content, place.field, around)
                    return None if pointer is None else (pointer["s3BucketName"], pointer["s3Key"])
                content, says = envelope.open(content, place.field, around)
                around = around if says is None else says
        except Exception:  # it has failed of it, too
            pass
        return None


def _over(result: BatchResult) -> set[int]:
    """Return the positions of the records that succeeded and do not come again, by the response as AWS reads it.

    There are none where it is of another form, as Firehose's, or a plugin has made it name other records than those
    that are not done: then it is not known here what AWS makes of it.
    """
    response: Any = result.response
    failures = result.failures
    try:
        named = {_key_of(each["itemIdentifier"]) for each in response["batchItemFailures"]}
    except (KeyError, TypeError):
        return set()
    if named != {_key_of(failure.identifier) for failure in failures}:
        return set()
    again = {outcome.position for outcome in result.delivered_again}
    return {outcome.position for outcome in result.outcomes if outcome.status == "succeeded"} - again


def _key_of(identifier: Any) -> Hashable:
    return tuple(sorted(identifier.items())) if is_object(identifier) else identifier


def _is_marked(around: Mapping[str, Any]) -> bool:
    """Whether a message, or the notification inside of it, has the attribute of the extended clients."""
    attributes = around.get("messageAttributes") or around.get("MessageAttributes")
    return is_object(attributes) and any(mark in attributes for mark in _MARKS)


def _by_bucket(pointers: Iterator[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    buckets: dict[str, list[str]] = {}
    for bucket, key in pointers:
        buckets.setdefault(bucket, []).append(key)
    return list(buckets.items())


def _delete(client: Any, bucket: str, keys: list[str], codes: dict[str, int]) -> None:
    """Delete some objects, and count those that could not be, by AWS's error code."""
    try:
        objects = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        response = client.delete_objects(Bucket=bucket, Delete=objects)
    except Exception as error:
        codes[named(error)] = codes.get(named(error), 0) + len(keys)
        return
    for left in response.get("Errors") or ():
        code = str(left.get("Code"))
        codes[code] = codes.get(code, 0) + 1


def named(error: Any) -> str:
    """Return AWS's error code, or the class of an exception that is no response of AWS."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code or type(error).__name__)


def _require_botocore() -> None:
    from importlib.util import find_spec

    if find_spec("botocore") is None:
        raise ConfigurationError("boto3 is not installed, and no client is given: pip install boto3, or pass client=.")


def _new_client() -> Any:
    # Not by boto3: there, some packages put clients of their own in the place of AWS's for the whole process.
    from botocore.config import Config  # type: ignore[import-untyped, unused-ignore]  # it ships no types
    from botocore.session import get_session  # type: ignore[import-untyped, unused-ignore]  # as above

    session: Any = get_session()
    return session.create_client(
        "s3",
        config=Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            max_pool_connections=CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        ),
    )
