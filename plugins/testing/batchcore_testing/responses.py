"""What Lambda makes of a function's response: which records it delivers again.

The rules are those of AWS's tables *Success and failure conditions*, of the developer guide's pages on SQS, Kinesis and
DynamoDB Streams. Mind the asymmetry: a mistake inside the list brings the whole batch back, a mistake in the name of
the list makes the whole batch go away. Where AWS does not say, the reading here is the one that loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn

from batchcore import ConfigurationError
from batchcore.windows import is_windowed
from batchcore_testing.results import read_firehose, read_s3_batch
from batchcore_testing.services import (
    KAFKA,
    KAFKA_QUEUE,
    Service,
    at,
    identity,
    resolve,
    service_of_event,
    service_of_source,
)

if TYPE_CHECKING:
    from batchcore.types import Identifier, Record

LARGEST_RESPONSE = 6 * 1024 * 1024
"""Bytes of the largest response that Lambda takes."""


class Reading(NamedTuple):
    """How AWS reads a response.

    Attributes:
        named: the positions in the batch that it names as failed; all of them where the whole batch failed.
        complaint: why the whole batch failed; None where it did not.
        state: the state of the tumbling window that it carries, or None.
        again: those of the named that come again, where that is not all of them; or None.
    """

    named: frozenset[int]
    complaint: str | None = None
    state: Any = None
    again: frozenset[int] | None = None


def redelivered(
    event: Any,
    response: Any,
    *,
    source: object = None,
    report_batch_item_failures: bool = True,
    consumption_mode: Literal["stream", "queue"] = "stream",
) -> list[Record]:
    """Return the records of a batch that AWS delivers again, given what the function answered.

    Args:
        event: the event that the function was invoked with.
        response: what it returned, or the exception that it raised.
        source: the source, or its name, for an event of a service that is none of AWS's. Without one such an event is
            read through the source that claims it.
        report_batch_item_failures: whether the event source mapping has ``ReportBatchItemFailures``. Without it an
            response is not read: what did not raise is done.
        consumption_mode: how a mapping of Kafka reads: ``stream``, or ``queue`` by a share group. No event says which.

    Returns:
        Raw records, in the order of the batch.

    Raises:
        batchcore.UnexpectedBatchTypeError: nobody knows the event.
        batchcore.ConfigurationError: there is no such mode, or the event is not of Kafka.
    """
    service = service_of(event, source)
    if consumption_mode != "stream":
        service = _in_queue_mode(service, consumption_mode)
    records = service.records(event)
    identifiers = [service.identifier(record) for record in records]
    reading = read_response(
        response,
        identifiers,
        service,
        report_batch_item_failures=report_batch_item_failures,
        windowed=is_windowed(event),
    )
    return [records[position] for position in positions_again(service, records, reading)]


def service_of(event: Any, source: object = None) -> Service:
    """Return the service of an event: AWS's own where it is known, else through the source."""
    known = service_of_event(event)
    if known is not None:
        return known
    if source is not None:
        return service_of_source(source)
    from batchcore.recognition import source_of_event

    found = source_of_event(resolve, event)
    return service_of_source(found.plugin)


def _in_queue_mode(service: Service, mode: str) -> Service:
    if mode != "queue" or service is not KAFKA:
        raise ConfigurationError(
            f"consumption_mode is 'stream', or 'queue' for events of Kafka; not {mode!r} for events of {service.name}."
        )
    return KAFKA_QUEUE


def read_response(
    response: Any,
    identifiers: Sequence[Identifier],
    service: Service,
    *,
    report_batch_item_failures: bool = True,
    windowed: bool = False,
) -> Reading:
    """Read what a function returned, or raised.

    Args:
        response: the returned value, before it is JSON; or an exception.
        identifiers: what each record of the batch is named by, in its order.
        service: the service of the batch.
        report_batch_item_failures: whether failures in the response are read at all.
        windowed: whether the batch belongs to a tumbling window.
    """
    if isinstance(response, BaseException):
        return whole_batch(identifiers, f"the function raised {type(response).__name__}: {response}")
    try:
        payload = json.dumps(response)
    except (TypeError, ValueError) as error:
        return whole_batch(identifiers, f"the response is not JSON: {error}")
    if len(payload) > LARGEST_RESPONSE:
        return whole_batch(identifiers, f"the response has {len(payload)} bytes; the limit is {LARGEST_RESPONSE}")
    if service.kind == "results":
        sent = json.loads(payload)
        of_firehose = service.name == "firehose"
        results = read_firehose(sent, identifiers, service.content) if of_firehose else read_s3_batch(sent, identifiers)
        return Reading(results.failed, results.complaint, None, results.again)
    if not (report_batch_item_failures or windowed) or service.kind == "whole batch":
        return Reading(frozenset())
    return read_payload(
        payload, identifiers, service, report_batch_item_failures=report_batch_item_failures, windowed=windowed
    )


def read_payload(
    payload: str | bytes,
    identifiers: Sequence[Identifier],
    service: Service,
    *,
    report_batch_item_failures: bool = True,
    windowed: bool = False,
) -> Reading:
    """Read a response as the runtime sent it, where something of it is read.

    Args:
        payload: the response, as JSON.
        identifiers: what each record of the batch is named by, in its order.
        service: the service of the batch.
        report_batch_item_failures: whether failures in the response are read; if not, its state alone is.
        windowed: whether the batch belongs to a tumbling window.
    """
    try:
        # Python's parser takes NaN and Infinity, which are not JSON and which Lambda refuses.
        response: Any = json.loads(payload, parse_constant=_not_json)
    except ValueError as error:
        return whole_batch(identifiers, f"the response is not JSON: {error}")
    state = at(response, "state") if isinstance(response, dict) else None
    if windowed and not isinstance(state, dict):
        return whole_batch(identifiers, "the response has no object state, and the batch belongs to a tumbling window")
    if not report_batch_item_failures or _is_success(response, service):
        return Reading(frozenset(), None, state)
    if not isinstance(response, dict):
        return whole_batch(identifiers, f"the response is no JSON object but {_kind(response)}")
    entries: Any = at(response, "batchItemFailures")
    if not _is_list(entries):
        return whole_batch(identifiers, f"batchItemFailures is no list but {_kind(entries)}")
    return _read_entries(entries, identifiers, state)


def whole_batch(identifiers: Sequence[Identifier], complaint: str) -> Reading:
    """Return the reading by which the whole batch failed."""
    return Reading(frozenset(range(len(identifiers))), complaint)


def positions_again(service: Service, records: Sequence[Record], reading: Reading) -> list[int]:
    """Return the positions of the records that are delivered again, in rising order."""
    if reading.again is not None:
        return sorted(reading.again)
    if not reading.named or reading.complaint is not None or service.kind in ("record", "whole batch", "results"):
        return sorted(reading.named)
    if service.kind == "checkpoint":
        places = _places(service, records)
        lowest = min(places[position] for position in reading.named)
        return [position for position, place in enumerate(places) if place >= lowest]
    from_on: dict[Any, int] = {}
    for position in reading.named:
        lane, offset = service.lane(records[position]), records[position]["offset"]
        from_on[lane] = min(offset, from_on.get(lane, offset))
    return [
        position
        for position, record in enumerate(records)
        if record["offset"] >= from_on.get(service.lane(record), record["offset"] + 1)
    ]


def _places(service: Service, records: Sequence[Record]) -> Sequence[int]:
    """Return where each record stands in its shard; where one of them has no sequence number, in the batch."""
    numbers = [_sequence_number(service, record) for record in records]
    known = [number for number in numbers if number is not None]
    return known if len(known) == len(records) else range(len(records))


def _sequence_number(service: Service, record: Record) -> int | None:
    """Return the sequence number of a record: a number of any length. An ``eventID`` is none."""
    number: Any = at(record, "kinesis", "sequenceNumber") or at(record, "dynamodb", "SequenceNumber")
    number = number or at(record, "sequenceNumber")  # of Kinesis, as a pipe has it
    digits: Any = number or service.identifier(record)
    return int(digits) if isinstance(digits, str) and digits.isdecimal() else None


def _is_success(response: Any, service: Service) -> bool:
    """Whether a response means that everything is done: each of these is documented, or was seen at AWS."""
    if service.name == KAFKA.name:
        return False  # AWS's pages have no such table for Kafka. An empty list names nothing, which is sure
    if response is None:
        return True
    if isinstance(response, dict):
        return at(response, "batchItemFailures") is None  # also misspelt
    return (response == [] and service.kind == "checkpoint") or (response == "" and service.name == "kinesis")


def _read_entries(entries: list[Any], identifiers: Sequence[Identifier], state: Any) -> Reading:
    positions: dict[str, list[int]] = {}
    for position, identifier in enumerate(identifiers):
        if identifier:
            positions.setdefault(identity(identifier), []).append(position)
    named: set[int] = set()
    for entry in entries:
        if not (isinstance(entry, dict) and "itemIdentifier" in entry):
            return whole_batch(identifiers, "an entry of batchItemFailures has no itemIdentifier")
        name = at(entry, "itemIdentifier")
        found = positions.get(identity(name))
        if not found:  # the empty one and null are in no batch
            return whole_batch(identifiers, f"itemIdentifier {name!r} is not in the batch")
        named.update(found)
    return Reading(frozenset(named), None, state)


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON value")


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _kind(value: object) -> str:
    for kind, name in (
        (type(None), "null"),
        (str, "a string"),
        (list, "a list"),
        (dict, "an object"),
        (bool, "a boolean"),
    ):
        if isinstance(value, kind):
            return name
    return "a number"
