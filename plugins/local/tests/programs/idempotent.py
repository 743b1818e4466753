"""Each order once, by Powertools' idempotency, and messages that come from elsewhere as well."""

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent, SQSRecord
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyItemNotFoundError
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer


class InMemory(BasePersistenceLayer):
    def __init__(self):
        super().__init__()
        self.kept = {}

    def _get_record(self, idempotency_key):
        if idempotency_key not in self.kept:
            raise IdempotencyItemNotFoundError
        return self.kept[idempotency_key]

    def _put_record(self, data_record):
        from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyItemAlreadyExistsError

        if data_record.idempotency_key in self.kept:
            raise IdempotencyItemAlreadyExistsError
        self.kept[data_record.idempotency_key] = data_record

    def _update_record(self, data_record):
        self.kept[data_record.idempotency_key] = data_record

    def _delete_record(self, data_record):
        self.kept.pop(data_record.idempotency_key, None)


processor = BatchProcessor(event_type=EventType.SQS)
store, config, shipped = InMemory(), IdempotencyConfig(event_key_jmespath="messageId"), []


def last(event: SQSEvent) -> SQSRecord:
    return list(event.records)[-1]


@idempotent_function(data_keyword_argument="record", config=config, persistence_store=store)
def ship(record: SQSRecord):
    shipped.append(int(record.body))


def lambda_handler(event, context):
    config.register_lambda_context(context)
    assert last(SQSEvent(event)).body
    return process_partial_response(event=event, record_handler=ship, processor=processor, context=context)
