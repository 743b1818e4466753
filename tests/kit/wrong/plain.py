"""Sources that make the plainest mistakes."""

from __future__ import annotations

import json
from typing import Any

from batchcore import Message, by_key, hookimpl, in_order, unordered
from batchcore.records import batch_item_failures, identify
from batchcore_kinesis import KinesisSource
from batchcore_kinesis.events import KinesisEvents
from batchcore_sqs import SQSRecord, SQSSource
from batchcore_testing import EventFactory, Sent


class DropsAnIdentifier(SQSSource):
    """Names one record less than there are failures."""

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        failed = [{"itemIdentifier": outcome.identifier} for outcome in outcomes.unfinished()]
        return {"batchItemFailures": failed[1:] if len(failed) > 1 else failed}


class RepeatsAnIdentifier(SQSSource):
    """Names the second record as the first."""

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        named = list(super().identify_records(records))
        return [*named[:1], *named[:1], *named[2:]]


class AnswersWithAnotherKey(SQSSource):
    """Answers with a list that has another name, which AWS takes for success."""

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        return {"failures": [{"itemIdentifier": outcome.identifier} for outcome in outcomes.unfinished()]}


class AnswersWithNothing(SQSSource):
    """Always answers that nothing failed."""

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        return {"batchItemFailures": []}


class AnswersWithBareIdentifiers(SQSSource):
    """Names records without ``itemIdentifier``, so that the whole batch comes again."""

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        return {"batchItemFailures": [outcome.identifier for outcome in outcomes.unfinished()]}


class AnswersInWords(SQSSource):
    """Says that all went well, which AWS takes for a failure."""

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        return batch_item_failures(batch, outcomes) if outcomes.unfinished() else "ok"


class ChangesTheEvent(SQSSource):
    """Writes the decoded body into the record."""

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        for record in event["Records"]:
            if isinstance(record, dict):
                record["seen"] = True
        return event["Records"]


class BreaksLaneOrder(KinesisSource):
    """Runs the records of a partition key in any order."""

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        return unordered


class GivesRecordsBackwards(KinesisSource):
    """Begins with the latest."""

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event["Records"][::-1]


class ClaimsEverything(SQSSource):
    """Claims every event that has records."""

    @hookimpl
    def claims_event(self, event: Any) -> Any:
        return "Records" in event


class ClaimsNothing(SQSSource):
    """Looks for the queue where it is not."""

    @hookimpl
    def claims_event(self, event: Any) -> Any:
        return event.get("eventSource") == "aws:sqs"


class ClaimsJunk(SQSSource):
    """Claims what has no records at all."""

    @hookimpl
    def claims_event(self, event: Any) -> Any:
        return all(super(ClaimsJunk, self).claims_event({"Records": [record]}) for record in event["Records"] or ())


class ForgetsWhatHadNoTime(SQSSource):
    """Names what raised, and not what was never started."""

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        failed = [outcome for outcome in outcomes.unfinished() if outcome.status == "failed"]
        return {"batchItemFailures": [{"itemIdentifier": outcome.identifier} for outcome in failed]}


class KeepsTheBatchForTheResponse(SQSSource):
    """Keeps what one hook learns for the next, in a place that all batches share."""

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        self.identifiers = batch.identifiers
        return unordered

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        failed = [outcome.position for outcome in outcomes.unfinished()]
        return {"batchItemFailures": [{"itemIdentifier": self.identifiers[position]} for position in failed]}


class MakesEventsOfAnother(SQSSource):
    """Has the event factory of another source."""

    factory = KinesisEvents()


class GroupedRecord(SQSRecord):
    """A record that every standard queue is without."""

    @property
    def group(self) -> Any:
        return self.raw_event["attributes"]["MessageGroupId"]


class ReadsWhatIsNotThere(SQSSource):
    """Gives a record with a property that raises where there is nothing."""

    @hookimpl
    def record_decoder(self, batch: Any) -> Any:
        return GroupedRecord


class GivesAGenerator(SQSSource):
    """Gives records that can be had once."""

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return (record for record in event["Records"])


class HasNoName(SQSSource):
    """Runs under the name of its class."""

    name = ""


class MakesATextOfNone(SQSSource):
    """Names a record without an id by the text None."""

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [str(record.get("messageId")) for record in records]


class Copies(SQSSource):
    """Makes its records of the event anew, as it should be."""

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return [dict(record) if isinstance(record, dict) else record for record in event["Records"]]


class CopiesAndReadsInside(Copies):
    """Reads every record for the response."""

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        assert all(int(outcome.record["attributes"]["SentTimestamp"]) for outcome in outcomes)
        return batch_item_failures(batch, outcomes)


class TicketEvents(EventFactory):
    """Makes tickets."""

    def record(self, sent: Sent) -> Any:
        return {"ticket": f"t{sent.number}", "payload": json.dumps(sent.content)}

    def event(self, records: Any) -> Any:
        return {"tickets": list(records)}


class Tickets:
    """A source of nobody's service, as it should be."""

    name = "tickets"
    factory = TicketEvents()

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and isinstance(event.get("tickets"), list)

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event["tickets"]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return identify("ticket")(records)


class TellsThePayload(Tickets):
    """Logs what was sent."""

    @hookimpl
    def describe_record(self, record: Any) -> Any:
        return dict(record)


class SendsTheSame(Tickets):
    """Sends every dead letter on as the same text."""

    @hookimpl
    def original_message(self, record: Any) -> Any:
        return Message("a ticket")


class Kafka:
    """A source for Kafka, as it should be. What makes its events is registered by the kit."""

    name = "kafka"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and event.get("eventSource") in ("aws:kafka", "aws:SelfManagedKafka")

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return [record for records in event["records"].values() for record in records]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [{"partition": partition(record), "offset": record["offset"]} for record in records]

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        return by_key(partition)

    @hookimpl
    def acknowledgement(self) -> str:
        return "checkpoint"

    @hookimpl
    def checkpoint_of(self, record: Any) -> str:
        return partition(record)


def partition(record: Any) -> str:
    return f"{record['topic']}-{record['partition']}"


class StringifiesAnObject(Kafka):
    """Names records by a string where AWS wants an object."""

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [f"{partition(record)}-{record['offset']}" for record in records]


class HasNoOrder(Kafka):
    """Runs the records of a partition in any order."""

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        return unordered


class ReadsInsideToOrder(Kafka):
    """Reads a record to decide on the order of all."""

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        return in_order() if any(record["timestamp"] < 0 for record in batch.records) else by_key(partition)
