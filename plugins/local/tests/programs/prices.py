"""Prices from Kafka."""

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.kafka_event import KafkaEventRecord

processor = BatchProcessor(event_type=EventType.Kafka)
prices = {}


def price(record: KafkaEventRecord) -> None:
    prices[record.topic] = float(record.decoded_value)


def lambda_handler(event, context):
    return process_partial_response(event=event, record_handler=price, processor=processor, context=context)
