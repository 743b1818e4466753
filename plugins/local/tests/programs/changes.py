"""Changes of a table, into a search index."""

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord, DynamoDBRecordEventName

processor = BatchProcessor(event_type=EventType.DynamoDBStreams)
index: dict[str, dict] = {}


def change(record: "DynamoDBRecord") -> None:
    key = record.dynamodb.keys["Id"]
    if record.event_name == DynamoDBRecordEventName.REMOVE:
        del index[key]
    elif record.event_name in (DynamoDBRecordEventName.INSERT, DynamoDBRecordEventName.MODIFY):
        index[key] = record.dynamodb.new_image


def lambda_handler(event, context):
    return process_partial_response(event=event, record_handler=change, processor=processor, context=context)
