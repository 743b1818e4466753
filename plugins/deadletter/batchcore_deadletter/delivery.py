"""How dead letters are sent: in requests of ten, and none is delivered that AWS has not confirmed."""

from __future__ import annotations

import re
import threading

from batchcore import ConfigurationError, hookimpl
from batchcore_deadletter.errors import NotDeliveredError
from batchcore_deadletter.letter import Letter, string_attribute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, TypeAlias

    from batchcore import Batch, Outcome

    Letters: TypeAlias = Mapping[int, Letter]
    Problems: TypeAlias = list[BaseException | None]

MOST_ENTRIES = 10
"""Messages of one request, at most."""

LARGEST_MESSAGE = 1_048_576
"""Bytes of a message, at most, of any queue or topic."""

CONNECT_TIMEOUT = 2
READ_TIMEOUT = 5
ATTEMPTS = 3

# What AWS answers with status 400 though no message of the request is at fault.
_OF_THE_TARGET = re.compile(
    "Throttl|TooManyRequests|LimitExceeded|K[Mm][Ss]|NonExistentQueue|QueueDoesNotExist|Token|Unrecognized|Signature"
    "|Security|AccessDenied|Authorization|Expired|OptIn|InvalidAddress"
)


class Target:
    """Where dead letters go.

    Args:
        service: what boto3 calls the service.
        operation: the method of the client that sends a batch.
        send: calls it, with a client and entries, and gives its response.
        body: what an entry calls the body.
        region: the region of the target, or None for that of the environment.
        fifo: whether it is a FIFO queue or topic.
        maximum_size: how many bytes it takes: of one message, and of all of a request.
        traced: whether a message of it may have a trace header.
        client: a boto3 client to use, or None to make one at first need.

    Raises:
        ConfigurationError: the size or the client cannot be used.
    """

    def __init__(
        self,
        service: str,
        operation: str,
        send: Callable[[Any, list[dict[str, Any]]], Any],
        *,
        body: str,
        region: str | None,
        fifo: bool,
        maximum_size: int,
        traced: bool,
        client: Any,
    ) -> None:
        if client is not None and not hasattr(client, operation):
            raise ConfigurationError(f"client is a boto3 client of {service}, not {type(client).__name__}.")
        self._service = service
        self._send = send
        self._body = body
        self._region = region
        self._fifo = fifo
        self._maximum_size = _checked_size(maximum_size)
        self._traced = traced
        self._client = client
        self._making = threading.Lock()

    def deliver(self, outcomes: Sequence[Outcome], batch: Batch) -> Problems:
        """Send the dead letters of some records.

        Returns:
            For each record, in the order given, None where AWS has confirmed it, else why it counts as not delivered.
        """
        letters: dict[int, Letter] = {}
        problems: Problems = []
        for position, outcome in enumerate(outcomes):
            try:
                letters[position] = Letter(
                    outcome, batch, fifo=self._fifo, maximum_size=self._maximum_size, traced=self._traced
                )
            except Exception as error:
                problems.append(error)
            else:
                problems.append(_not_tried(letters[position]))
        for request in self._requests(letters):
            if not self._deliver(request, problems):
                break
        return problems

    def _requests(self, letters: Letters) -> Iterator[Letters]:
        """Divide letters into requests: no more than ten in one, and no more bytes than the target takes."""
        request: dict[int, Letter] = {}
        size = 0
        for position, letter in letters.items():
            if request and (len(request) == MOST_ENTRIES or size + letter.size > self._maximum_size):
                yield request
                request, size = {}, 0
            request[position] = letter
            size += letter.size
        if request:
            yield request

    def _deliver(self, letters: Letters, problems: Problems, *, again: bool = True) -> bool:
        """Send one request, and note of each letter what became of it.

        Returns:
            Whether the next request has a chance: this one did not fail for a reason that it would meet too.
        """
        try:
            response = self._send(self._client_made(), [self._entry(*numbered) for numbered in letters.items()])
        except Exception as error:
            of_an_entry = _may_be_of_an_entry(error)
            if of_an_entry and len(letters) > 1:
                return all(self._deliver({position: letter}, problems) for position, letter in letters.items())
            if of_an_entry and any(map(_untraced, letters.values())):
                return self._deliver(letters, problems, again=again)
            for position, letter in letters.items():
                problems[position] = _failed_request(letter, error)
            return of_an_entry
        worth_another = _note(response, letters, problems)
        return self._deliver(worth_another, problems, again=False) if worth_another and again else True

    def _entry(self, position: int, letter: Letter) -> dict[str, Any]:
        return {
            "Id": str(position),
            self._body: letter.body,
            "MessageAttributes": letter.attributes,
            **letter.fifo,
            **_system_attributes(letter),
        }

    def _client_made(self) -> Any:
        """Return the client, made by the first thread that needs it."""
        if self._client is None:
            with self._making:
                if self._client is None:
                    self._client = _new_client(self._service, self._region)
        return self._client


class Deliverer:
    """The two hooks of a deliverer, for whichever target.

    Args:
        target: where dead letters go.
    """

    def __init__(self, target: Target) -> None:
        self._target = target

    @hookimpl
    def deliver_dead_letter(self, outcome: Outcome, batch: Batch) -> None:
        """Deliver one.

        Raises:
            MessageLimitError: AWS would refuse it.
            NotDeliveredError: AWS has not confirmed it.
        """
        (problem,) = self._target.deliver([outcome], batch)
        if problem is not None:
            raise problem

    @hookimpl
    def deliver_dead_letters(self, outcomes: Sequence[Outcome], batch: Batch) -> Sequence[BaseException | None]:
        """Deliver some, ten per request: None for each that AWS confirmed, else the exception that says why not."""
        return self._target.deliver(outcomes, batch)


def _checked_size(given: Any) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= LARGEST_MESSAGE:
        raise ConfigurationError(f"maximum_size is a number of bytes from 1 to {LARGEST_MESSAGE:,}, not {given!r}.")
    return given


def matched(pattern: re.Pattern[str], name: object) -> re.Match[str] | None:
    """Match what a target is named by, all of it. None too where it is no string."""
    return pattern.fullmatch(name) if isinstance(name, str) else None


def _new_client(service: str, region: str | None) -> Any:
    import os

    import boto3.session  # type: ignore[import-untyped, unused-ignore]  # boto3 ships no types
    from botocore.config import Config  # type: ignore[import-untyped, unused-ignore]  # nor does botocore

    session: Any = boto3.session.Session()  # one of our own: the default session is not for several threads
    return session.client(
        service,
        region_name=region or os.environ.get("AWS_REGION"),
        config=Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        ),
    )


def _note(response: Mapping[str, Any], letters: Letters, problems: Problems) -> Letters:
    """Read a response: what it confirms is delivered, and nothing else is.

    Returns:
        The letters that are worth another request: those that failed through no fault of theirs, and those that AWS
        may have refused for their trace header, which they have no more.
    """
    confirmed = {entry.get("Id") for entry in response.get("Successful") or ()}
    failed = {entry.get("Id"): entry for entry in response.get("Failed") or ()}
    worth_another: dict[int, Letter] = {}
    for position, letter in letters.items():
        failure = failed.get(str(position))
        if failure is not None:
            problems[position] = _failed_entry(letter, failure)
            if failure.get("SenderFault") is False or _untraced(letter):
                worth_another[position] = letter
        elif str(position) in confirmed:
            problems[position] = None
        else:
            problems[position] = NotDeliveredError(
                f"The response of AWS does not name the dead letter of record {letter.record}, so it counts as not "
                "delivered; the record is retried.",
                identifier=letter.identifier,
            )
    return worth_another


def _system_attributes(letter: Letter) -> dict[str, Any]:
    if letter.trace_header is None:
        return {}
    return {"MessageSystemAttributes": {"AWSTraceHeader": string_attribute(letter.trace_header)}}


def _untraced(letter: Letter) -> bool:
    """Take the trace header off a dead letter that was refused, and return whether it had one."""
    had, letter.trace_header = letter.trace_header, None
    return had is not None


def _not_tried(letter: Letter) -> NotDeliveredError:
    return NotDeliveredError(
        f"The dead letter of record {letter.record} was not sent: an earlier request failed for a reason that this "
        "one would meet too. The record is retried.",
        identifier=letter.identifier,
    )


def _failed_entry(letter: Letter, failure: Mapping[str, Any]) -> NotDeliveredError:
    code, fault = failure.get("Code"), failure.get("SenderFault")
    return NotDeliveredError(
        f"AWS has not taken the dead letter of record {letter.record}: {code}: {failure.get('Message')}. The "
        "record is retried.",
        identifier=letter.identifier,
        code=code,
        sender_fault=fault,
    )


def _failed_request(letter: Letter, error: Exception) -> NotDeliveredError:
    from botocore.exceptions import ParamValidationError  # type: ignore[import-untyped, unused-ignore]  # no types

    quotes = isinstance(error, ParamValidationError)  # its text and its traceback quote what was to be sent
    problem = NotDeliveredError(
        f"The dead letter of record {letter.record} was not delivered: {type(error).__name__}"
        f"{'' if quotes else f': {error}'}. The record is retried.",
        identifier=letter.identifier,
        code=_code_of(error) or type(error).__name__,
    )
    problem.__cause__ = None if quotes else error
    return problem


def _may_be_of_an_entry(error: Exception) -> bool:
    """Whether a request may have been refused for one of its messages: then the others are sent without it."""
    from botocore.exceptions import ClientError, ParamValidationError  # type: ignore[import-untyped, unused-ignore]  # no types

    if not isinstance(error, ClientError):
        return isinstance(error, ParamValidationError)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status in (400, 413) and not _OF_THE_TARGET.search(_code_of(error))


def _code_of(error: Any) -> str:
    """Return the error code of a response of AWS, or nothing where the exception is no response."""
    response = getattr(error, "response", None)  # botocore's own errors of the network have one that is None
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""
