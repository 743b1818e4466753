"""Sources that are wrong in their responses; and some that stand on their own."""

from __future__ import annotations

import base64
from functools import cached_property
from operator import itemgetter
from typing import Any

from batchcore import RecordView, WholeBatchRetry, by_key, hookimpl
from batchcore.binary import decode_base64
from batchcore.records import batch_item_failures, decode_json, decode_text, identify
from batchcore_dynamodb import DynamoDBSource
from batchcore_kinesis import KinesisSource
from batchcore_sqs import SQSSource


class NamesOnlyTheFailed(SQSSource):
    """Names the records whose status is ``failed``, and not those that were not attempted.

    What was left out behind a failure of a FIFO queue, or for lack of time, is deleted without ever having run.
    """

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        failed = [outcome for outcome in outcomes if outcome.status == "failed"]
        return {"batchItemFailures": [{"itemIdentifier": outcome.identifier} for outcome in failed]}


class NamesAllThatRaised(SQSSource):
    """Names every record that has an exception: those that were dropped or delivered as dead letters, too.

    They come again, and are delivered to the dead-letter queue once more each time.
    """

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        raised = [outcome for outcome in outcomes if outcome.exception is not None or not outcome.done]
        return {"batchItemFailures": [{"itemIdentifier": outcome.identifier} for outcome in raised]}


class KeepsItsResponse(SQSSource):
    """Collects the failures in a mutable default argument, so that each response names those of all batches before.

    AWS does not know them, and takes the whole response for a failure: from the first failure on, every batch is
    delivered again as a whole.
    """

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any, failures: list[Any] = []) -> Any:  # noqa: B006
        failures.extend({"itemIdentifier": outcome.identifier} for outcome in outcomes.unfinished())
        return {"batchItemFailures": failures}


class AnswersWithResults(SQSSource):
    """Puts what the handlers returned into the response, beside the failures.

    A value that is not JSON, or more than 6 MB of them, fails the invocation after all was done: everything again.
    """

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        results = [outcome.value for outcome in outcomes if outcome.status == "succeeded"]
        return {**batch_item_failures(batch, outcomes), "results": results}


class LowestAsText(KinesisSource):
    """Names only the lowest failure, which is enough for a checkpoint, and finds the lowest by comparing as text.

    Sequence numbers may differ in length: "1000" is below "999" then. The checkpoint moves past a failed record, which
    is lost.
    """

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        response = super().build_response(batch, outcomes)
        failures = response["batchItemFailures"]
        return {**response, "batchItemFailures": [min(failures, key=itemgetter("itemIdentifier"))] if failures else []}


class AnswersWithoutTheState(DynamoDBSource):
    """Answers a batch of a tumbling window as any other, without ``state``.

    To AWS a response without it is a failed invocation: the batch comes again for ever, though every record succeeds.
    """

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        return batch_item_failures(batch, outcomes)


class KafkaRecord(RecordView):
    """As in the documentation."""

    @cached_property
    def json_value(self) -> Any:
        return decode_json(decode_text(decode_base64(self.raw_event["value"], "value"), "value"), "value")


def _partition(record: Any) -> str:
    return f"{record['topic']}-{record['partition']}"


class _Kafka:
    """The source of the documentation, which is right."""

    name = "acme-kafka"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and event.get("eventSource") in ("aws:kafka", "aws:SelfManagedKafka")

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return [record for records in event["records"].values() for record in records]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [{"partition": _partition(record), "offset": record["offset"]} for record in records]

    @hookimpl
    def record_decoder(self, batch: Any) -> Any:
        return KafkaRecord

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        return by_key(_partition)

    @hookimpl
    def acknowledgement(self) -> str:
        return "checkpoint"

    @hookimpl
    def checkpoint_of(self, record: Any) -> str:
        return _partition(record)


class KafkaHasOneCheckpoint(_Kafka):
    """Says that a checkpoint acknowledges, and not of what: it takes the batch for that of a shard.

    A dead letter of one partition waits for another, and ``explain()`` says of good records that they come again.
    """

    @hookimpl
    def checkpoint_of(self, record: Any) -> None:
        return None


class KafkaByOffset(_Kafka):
    """Collects the records in a dictionary by offset, to have them in order and without duplicates.

    Offsets count in each partition by itself. Of two partitions with the same offset one record is left out: it never
    runs, and its offset is committed.
    """

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        every = [record for records in event["records"].values() for record in records]
        return list({record["offset"]: record for record in every}.values())


class KafkaForgetsTheTopic(_Kafka):
    """Names the partition in the response by its number alone, where AWS wants topic and number.

    Records of two topics go by one name. AWS finds none of them, and the whole batch is retried.
    """

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [{"partition": str(record["partition"]), "offset": record["offset"]} for record in records]


class KafkaDecodesHeaders(_Kafka):
    """Gives records whose headers are a dictionary of ``bytes``, and leaves ``original_message`` at its default, JSON.

    Such a record cannot be written as JSON: every dead letter fails to be delivered, and is retried for ever.
    """

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return [
            {
                **record,
                "headers": {
                    name: bytes(byte & 255 for byte in value)
                    for each in record.get("headers", ())
                    for name, value in each.items()
                },
            }
            for records in event["records"].values()
            for record in records
        ]


class KafkaNamesOneCheckpoint(_Kafka):
    """Names the first record that is not done and nothing else, as is enough for a shard.

    A batch holds several partitions, each with an offset of its own. What failed in the others is committed, and lost.
    """

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        first = outcomes.unfinished()[:1]
        return {"batchItemFailures": [{"itemIdentifier": outcome.identifier} for outcome in first]}


class RabbitRaisesOnlyForAll:
    """Raises ``WholeBatchRetry`` only if no message is done, though Amazon MQ takes no partial response.

    When some failed and some did not, the response is one of success: the failed messages are acknowledged, and lost.
    """

    name = "acme-rabbitmq"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and event.get("eventSource") == "aws:rmq"

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return [message for messages in event["rmqMessagesByQueue"].values() for message in messages]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [None] * len(records)

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        failed = outcomes.unfinished()
        if failed and len(failed) == len(outcomes):
            raise WholeBatchRetry(f"all {len(failed)} messages failed") from failed[0].exception
        return {}


class FirehoseLeavesFailuresOut:
    """Transforms records of Amazon Data Firehose, and leaves those that failed out of its response.

    Firehose wants every record back, as ``Ok``, ``Dropped`` or ``ProcessingFailed``. One that is missing fails the
    invocation: it is retried three times, and then the batch is skipped.
    """

    name = "acme-firehose"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and "deliveryStreamArn" in event and isinstance(event.get("records"), list)

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event["records"]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return identify("recordId")(records)

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        answered = []
        for outcome in outcomes:
            response = {"recordId": outcome.identifier, "data": outcome.record["data"]}
            if outcome.status == "succeeded":
                value = outcome.value
                if isinstance(value, str):
                    response["data"] = base64.b64encode(value.encode()).decode()
                answered.append({**response, "result": "Ok"})
            elif outcome.done:
                answered.append({**response, "result": "Dropped"})
        return {"records": answered}


class FirehoseFailsWhatWasNotTried(FirehoseLeavesFailuresOut):
    """Answers for every record, also for those that there was no time for.

    What is ``ProcessingFailed`` is not sent again: it would be given up without ever having run.
    """

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        return {
            "records": [
                {
                    "recordId": outcome.identifier,
                    "result": "Ok" if outcome.done else "ProcessingFailed",
                    "data": outcome.record["data"],
                }
                for outcome in outcomes
            ]
        }


class S3BatchGivesUpWhatFailed:
    """Answers ``PermanentFailure`` for a task that failed, which is not tried again."""

    name = "acme-s3batch"
    given_up = "PermanentFailure"
    failed = "PermanentFailure"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and "invocationSchemaVersion" in event and isinstance(event.get("tasks"), list)

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event["tasks"]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return identify("taskId")(records)

    @hookimpl
    def acknowledgement(self) -> str:
        return "result"

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        codes = {"succeeded": "Succeeded", "dropped": self.given_up, "dead_lettered": self.given_up}
        return {
            "invocationSchemaVersion": "1.0",
            "treatMissingKeysAs": "TemporaryFailure",
            "results": [
                {"taskId": outcome.identifier, "resultCode": codes.get(outcome.status, self.failed)}
                for outcome in outcomes
            ],
        }


class S3BatchTriesAgainWhatIsGivenUp(S3BatchGivesUpWhatFailed):
    """Answers ``TemporaryFailure`` for a task that was dropped, or is a dead letter: it comes again."""

    given_up = "TemporaryFailure"
    failed = "TemporaryFailure"


class S3Batch(S3BatchGivesUpWhatFailed):
    """Right: what failed comes again, and what is given up does not."""

    failed = "TemporaryFailure"
