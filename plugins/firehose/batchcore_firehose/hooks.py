"""The source: what batchcore has to know of data transformation by Amazon Data Firehose."""

from __future__ import annotations

from batchcore import WholeBatchRetry, hookimpl
from batchcore.records import identify, is_object
from batchcore_firehose.record import FirehoseRecord
from batchcore_firehose.results import results_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Literal

    from batchcore import Batch, Fail, Outcomes
    from batchcore_firehose.types import FirehoseResponse

_OF_A_RECORD = {"recordId", "approximateArrivalTimestamp"}
_DESCRIBED = {
    "kinesisRecordMetadata": {"shard_id": "shardId", "partition_key": "partitionKey"},
    "mskRecordMetadata": {"partition": "partitionId", "offset": "offset"},
}


class FirehoseSource:
    """Data transformation by Amazon Data Firehose: a function gets records, and returns what becomes of each.

    What the handler returns is the new data. A record that failed is not delivered again: Firehose writes it to its
    bucket, below ``processing-failed``. So a batch of which a record was not tried raises, and Firehose calls again.

    An event is told by its records and its ``invocationId``: those of some tools have no ARN of a stream.

    AWS's side of it: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html
    """

    name = "firehose"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        """Whether this is an invocation by Firehose, and every record of it one of Firehose's."""
        records: Any = event.get("records") if is_object(event) and "invocationId" in event else None
        return isinstance(records, list) and all(
            is_object(record) and "eventSource" not in record and not _OF_A_RECORD.isdisjoint(record)
            for record in records
        )

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Any]:
        """Return the list ``records``."""
        records: list[Any] = event["records"]
        return records

    @hookimpl
    def identify_records(self, records: Sequence[Any]) -> Sequence[str]:
        """Return the ``recordId`` of each record.

        Raises:
            RecordIdentityError: a record has none, or an empty one.
        """
        return identify("recordId")(records)

    @hookimpl
    def record_decoder(self, batch: Batch) -> Callable[[Any], FirehoseRecord]:
        """Return the view."""
        return FirehoseRecord

    @hookimpl
    def describe_record(self, record: Any) -> Mapping[str, Any]:
        """Return where in the stream or topic that Firehose reads a record was, where it reads one."""
        described: dict[str, Any] = {}
        for part, names in _DESCRIBED.items():
            metadata = record.get(part)
            if is_object(metadata):
                described.update((name, metadata[key]) for name, key in names.items() if key in metadata)
        return described

    @hookimpl
    def acknowledgement(self) -> Literal["final"]:
        """Say that no record comes again that the response names, however it names it."""
        return "final"

    @hookimpl
    def build_response(self, batch: Batch, outcomes: Outcomes, fail: Fail) -> FirehoseResponse:
        """Return a result for each record, in the order of the batch. What cannot be a result fails its record.

        Raises:
            WholeBatchRetry: a record was not tried. Answered as failed it would not come again.
        """
        all_of_them = list(outcomes)
        untried = [outcome for outcome in all_of_them if outcome.status == "not_attempted"]
        if untried:
            raise WholeBatchRetry(
                f"{len(untried)} of {len(all_of_them)} records were not tried. Firehose would not send them again, so "
                "it gets an error, and calls again with all of them."
            ) from untried[0].exception
        return {"records": results_of(all_of_them, fail)}  # type: ignore[typeddict-item]  # of MSK the data has another name


Firehose = FirehoseSource()
"""The source that this package offers under the name ``firehose``."""
