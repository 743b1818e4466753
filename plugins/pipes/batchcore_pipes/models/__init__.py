"""Pydantic models of the records of a pipe. Needs the extra ``pydantic``; nothing else here imports it.

Inherit one and replace a field: ``body: Json[Order]`` of SQS, ``data: Json[Order]`` of Kinesis, whose record is flat,
and of Amazon MQ, ``dynamodb: Change`` of DynamoDB, ``value: Json[Order]`` of Kafka. What the event has besides is
ignored. Each model is loaded when it is asked for, and needs the package of its source, such as batchcore-sqs, and no
other.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from batchcore_pipes.models.dynamodb import DynamoDBPipeRecordModel
    from batchcore_pipes.models.kafka import KafkaPipeRecordModel
    from batchcore_pipes.models.kinesis import KinesisPipeRecordModel
    from batchcore_pipes.models.mq import ActiveMQPipeMessageModel, RabbitMQPipeMessageModel
    from batchcore_pipes.models.sqs import SqsPipeRecordModel

__all__ = [
    "ActiveMQPipeMessageModel",
    "DynamoDBPipeRecordModel",
    "KafkaPipeRecordModel",
    "KinesisPipeRecordModel",
    "RabbitMQPipeMessageModel",
    "SqsPipeRecordModel",
]

_LAZY = {
    "ActiveMQPipeMessageModel": "mq",
    "DynamoDBPipeRecordModel": "dynamodb",
    "KafkaPipeRecordModel": "kafka",
    "KinesisPipeRecordModel": "kinesis",
    "RabbitMQPipeMessageModel": "mq",
    "SqsPipeRecordModel": "sqs",
}

if not TYPE_CHECKING:  # a checker that saw it would take any name, and misspelt ones too

    def __getattr__(name: str) -> object:
        """Return a model, when somebody asks for it."""
        if name not in _LAZY:
            raise AttributeError(f"module 'batchcore_pipes.models' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"batchcore_pipes.models.{_LAZY[name]}"), name)
