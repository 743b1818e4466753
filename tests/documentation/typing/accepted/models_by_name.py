"""Models of sources that are asked for by their names, by an object, or by ``EventType``: handlers get the model."""

from __future__ import annotations

from typing_extensions import assert_type

from batchcore import BatchProcessor, EventType
from batchcore_firehose import Firehose
from batchcore_firehose.models import FirehoseMSKRecordModel, FirehoseRecordModel
from batchcore_kafka import Kafka, KafkaSource
from batchcore_kafka.models import KafkaRecordModel
from batchcore_mq.models import RabbitMQMessageModel
from batchcore_s3batch.models import S3BatchTaskModel

assert_type(BatchProcessor("firehose", model=FirehoseRecordModel), BatchProcessor[FirehoseRecordModel])
assert_type(BatchProcessor(Firehose, model=FirehoseMSKRecordModel), BatchProcessor[FirehoseMSKRecordModel])
assert_type(BatchProcessor("kafka", model=KafkaRecordModel), BatchProcessor[KafkaRecordModel])
assert_type(BatchProcessor(EventType.Kafka, model=KafkaRecordModel), BatchProcessor[KafkaRecordModel])
assert_type(BatchProcessor(Kafka, model=KafkaRecordModel), BatchProcessor[KafkaRecordModel])
assert_type(BatchProcessor(KafkaSource(mode="queue"), model=KafkaRecordModel), BatchProcessor[KafkaRecordModel])
assert_type(BatchProcessor("rabbitmq", model=RabbitMQMessageModel), BatchProcessor[RabbitMQMessageModel])
assert_type(BatchProcessor("s3batch", model=S3BatchTaskModel), BatchProcessor[S3BatchTaskModel])
