"""A function that every source of ours may invoke. Each content is a JSON object that says what its record does.

Which source an event is of is found from the event; a pipe's is asked for by name, for no event tells it from another
list.
"""

import json
from collections.abc import Callable
from typing import Any

from batchcore import BatchProcessor, LambdaContext, process_partial_response
from batchcore_dynamodb import DynamoDBRecord
from batchcore_firehose import FirehoseRecord
from batchcore_kafka import KafkaRecord
from batchcore_kinesis import KinesisStreamRecord
from batchcore_mq import ActiveMQMessage, RabbitMQMessage
from batchcore_s3batch import S3BatchTask
from batchcore_sqs import SQSRecord

processor = BatchProcessor(raise_on_entire_batch_failure=False)
pipes = {
    said: BatchProcessor(name, raise_on_entire_batch_failure=False)
    for said, name in {
        "aws:sqs": "pipes-sqs",
        "aws:kinesis": "pipes-kinesis",
        "aws:dynamodb": "pipes-dynamodb",
        "aws:kafka": "pipes-kafka",
        "aws:amq": "pipes-mq",
    }.items()
}


CONTENTS: dict[type[Any], Callable[[Any], Any]] = {
    SQSRecord: lambda record: record.json_body,
    KinesisStreamRecord: lambda record: record.kinesis.data_as_json(),
    DynamoDBRecord: lambda record: json.loads(record.dynamodb.new_image["content"]),
    KafkaRecord: lambda record: record.json_value,
    ActiveMQMessage: lambda record: record.json_data,
    RabbitMQMessage: lambda record: record.json_data,
    FirehoseRecord: lambda record: record.data_as_json(),
    S3BatchTask: lambda record: json.loads(record.s3_key),
}


class OutOfStockError(Exception):
    pass


def record_handler(record: Any) -> Any:
    (order,) = (read(record) for kind, read in CONTENTS.items() if isinstance(record, kind))
    if order["does"] == "fail":
        raise OutOfStockError(f"no {order['item']} left")
    return f"shipped {order['item']}"


def lambda_handler(event: Any, context: LambdaContext) -> Any:
    chosen = pipes[event[0]["eventSource"]] if isinstance(event, list) else processor
    return process_partial_response(event, record_handler, chosen, context)
