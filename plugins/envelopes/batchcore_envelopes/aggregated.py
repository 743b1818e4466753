"""The plugin that takes aggregated records of Kinesis apart: each record of a user has an outcome of its own."""

from __future__ import annotations

from binascii import b2a_base64

from batchcore import hookimpl
from batchcore.binary import decode_base64
from batchcore.records import is_object
from batchcore_envelopes.aggregate import START, user_records
from batchcore_envelopes.errors import AggregateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from typing import Any

    from batchcore import Batch, Outcomes

    Hook = Generator[None, Any, Any]

_START = "84maw"  # of the base64 of START: its last bits share a character with what follows
_NUMBER = "subSequenceNumber"


class UserRecords:
    """Takes records apart that the Kinesis Producer Library (KPL) aggregated: handlers get the records of users.

    Each has an outcome of its own, and its own partition key, by which the source orders it. The sequence number is
    that of the record which carried it; ``record.kinesis["subSequenceNumber"]`` counts from 0 inside of that, and
    ``record.kinesis["explicitHashKey"]`` is there where the producer gave one. All other records are passed on as they
    are, whatever their source.

    AWS knows the record that carried them alone. It comes again if one of them is not done, and so do all of them. The
    response names it once.

    A record that begins as an aggregated one and is broken fails, and none of it is handled.
    """

    @hookimpl(wrapper=True)
    def extract_records(self, event: Any) -> Hook:
        """Return the records of users in the place of those that carried them."""
        records = yield
        is_wrong = isinstance(records, (str, bytes, dict)) or not hasattr(records, "__getitem__")
        return records if is_wrong else deaggregate(records)  # the core says what is wrong

    @hookimpl(wrapper=True)
    def record_preparer(self, batch: Batch) -> Hook:
        """Let a record fail that is aggregated still: it is broken, or the batch was given as records."""
        prepare: Callable[[Any], Any] = yield

        def prepare_whole(record: Any) -> Any:
            payload = _payload_of(record)
            if _begins_as_aggregate(payload):
                raise _not_taken_apart(payload)
            return prepare(record)

        return prepare_whole

    @hookimpl(wrapper=True)
    def describe_record(self, record: Any) -> Hook:
        """Say which of the records of its aggregate a record is."""
        described: Mapping[str, Any] = yield
        payload = _payload_of(record)
        return (
            described if payload is None or _NUMBER not in payload else {**described, "user_record": payload[_NUMBER]}
        )

    @hookimpl(wrapper=True)
    def build_response(self, batch: Batch, outcomes: Outcomes) -> Hook:
        """Name a record once of which several records of users are not done."""
        response = yield
        failures: Any = response.get("batchItemFailures") if isinstance(response, dict) else None
        if not isinstance(failures, list) or len(failures) < 2:
            return response
        seen: list[Any] = []
        last: Any = None
        for failure in failures:  # those of one aggregate stand one behind the other
            if failure != last:
                seen.append(failure)
            last = failure
        return {**response, "batchItemFailures": seen}


def deaggregate(records: Sequence[Any]) -> list[Any]:
    """Return raw records with the records of users in the place of those that carried them.

    For the context manager, which gets records and no event: ``processor(records=deaggregate(event["Records"]), ...)``,
    beside ``plugins=[UserRecords()]``. What is not aggregated is returned as it is, and so is an aggregate that is
    broken: its record fails then.
    """
    return [user_record for record in records for user_record in _taken_apart(record)]


def _taken_apart(record: Any) -> Sequence[Any]:
    payload = _payload_of(record)
    if payload is None or not _begins_as_aggregate(payload):
        return (record,)
    try:
        return list(_carried(record, payload))
    except ValueError:  # it fails inside its guard, and costs no other record
        return (record,)


def _carried(record: Mapping[str, Any], payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for number, each in enumerate(user_records(decode_base64(payload["data"], "data"), "data")):
        own = {
            **payload,
            "partitionKey": each.partition_key,
            "data": b2a_base64(each.data, newline=False).decode(),
            _NUMBER: number,
        }
        own.pop("explicitHashKey", None)
        if each.explicit_hash_key is not None:
            own["explicitHashKey"] = each.explicit_hash_key
        yield {**record, "kinesis": own} if payload is not record else own


def _payload_of(record: Any) -> Mapping[str, Any] | None:
    """Return what of a record has data and sequence number; the record itself where it is flat, as a pipe gives it."""
    if not is_object(record):
        return None
    payload = record.get("kinesis", record)
    return payload if is_object(payload) and "sequenceNumber" in payload else None


def _begins_as_aggregate(payload: Mapping[str, Any] | None) -> bool:
    """Whether data begins as aggregated data does. That of a user may: it is not taken apart a second time."""
    if payload is None or _NUMBER in payload:
        return False
    data = payload.get("data")
    if not isinstance(data, str) or not data.startswith(_START):
        return False
    try:
        return decode_base64(data[:8], "data").startswith(START)
    except ValueError:
        return False


def _not_taken_apart(payload: Any) -> AggregateError:
    """Return the error of a record that is aggregated still."""
    try:
        found = user_records(decode_base64(payload["data"], "kinesis.data"), "kinesis.data")
    except ValueError as error:
        return (
            error if isinstance(error, AggregateError) else AggregateError(f"An aggregated record is broken: {error}.")
        )
    return AggregateError(
        f"kinesis.data holds {len(found)} records that the Kinesis Producer Library aggregated, which were not taken "
        "apart: the batch was given as records, without its event. Give deaggregate(records) instead."
    )
