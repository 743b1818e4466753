"""Where the names of Powertools' batch utility are here. Names that are not listed are left to people."""

from __future__ import annotations

from batchcore.options import INSTEAD_OF

UTILITIES = "aws_lambda_powertools.utilities"
BATCH = f"{UTILITIES}.batch"
DATA_CLASSES = f"{UTILITIES}.data_classes"
PARSER = f"{UTILITIES}.parser"
MODELS = f"{PARSER}.models"

BATCH_NAMES = {
    **dict.fromkeys(
        (
            "AsyncBatchProcessor",
            "BasePartialBatchProcessor",
            "BasePartialProcessor",
            "BatchProcessingError",
            "BatchProcessor",
            "EventType",
            "ExceptionInfo",
            "FailureResponse",
            "PartialItemFailureResponse",
            "PartialItemFailures",
            "SuccessResponse",
            "UnexpectedBatchTypeError",
            "async_batch_processor",
            "async_process_partial_response",
            "batch_processor",
            "process_partial_response",
        ),
        "batchcore",
    ),
    **dict.fromkeys(
        ("SQSFifoCircuitBreakerError", "SQSFifoMessageGroupCircuitBreakerError", "SqsFifoPartialProcessor"),
        "batchcore_sqs",
    ),
}
"""Names of the batch utility, in whichever of its modules."""

RECORDS: dict[str, dict[str, str]] = {
    f"{DATA_CLASSES}.sqs_event": dict.fromkeys(
        ("SQSMessageAttribute", "SQSMessageAttributes", "SQSRecord", "SQSRecordAttributes"), "batchcore_sqs"
    ),
    f"{DATA_CLASSES}.kinesis_stream_event": dict.fromkeys(
        ("KinesisStreamRecord", "KinesisStreamRecordPayload"), "batchcore_kinesis"
    ),
    f"{DATA_CLASSES}.dynamo_db_stream_event": dict.fromkeys(
        ("DynamoDBRecord", "DynamoDBRecordEventName", "StreamRecord", "StreamViewType"), "batchcore_dynamodb"
    ),
    f"{DATA_CLASSES}.kafka_event": {"KafkaEventRecord": "batchcore_kafka"},
    DATA_CLASSES: {"SQSRecord": "batchcore_sqs"},
}
"""Classes of typed records, by their modules."""

ENUMS = frozenset(("DynamoDBRecordEventName", "StreamViewType"))
"""Those whose members a handler compares with, so that the one library's are not those of the other."""

RENAMED = {"KafkaEventRecord": "KafkaRecord"}
"""Names that are others here; the program keeps its own."""

_SQS_MODELS: dict[str, str] = dict.fromkeys(
    ("SqsAttributesModel", "SqsMsgAttributeModel", "SqsRecordModel"), "batchcore_sqs.models"
)
_KINESIS_MODELS: dict[str, str] = dict.fromkeys(
    ("KinesisDataStreamRecord", "KinesisDataStreamRecordPayload"), "batchcore_kinesis.models"
)
_DYNAMODB_MODELS: dict[str, str] = dict.fromkeys(
    ("DynamoDBStreamChangedRecordModel", "DynamoDBStreamRecordModel"), "batchcore_dynamodb.models"
)
PARSER_MODELS: dict[str, dict[str, str]] = {
    MODELS: {**_SQS_MODELS, **_KINESIS_MODELS, **_DYNAMODB_MODELS},
    f"{MODELS}.sqs": _SQS_MODELS,
    f"{MODELS}.kinesis": _KINESIS_MODELS,
    f"{MODELS}.dynamodb": _DYNAMODB_MODELS,
}
"""Models of records, by their modules."""

NOT_OF_THE_PARSER = frozenset(("BaseModel", "Field", "ValidationError", "field_validator", "model_validator", "models"))
"""What the parser offers that is pydantic's own."""

WITHOUT_COUNTERPART = {
    "BatchTypeModels": "a model is any pydantic model: annotate it as type[pydantic.BaseModel]",
    "BatchSqsTypeModel": "a model is any pydantic model: annotate it as type[pydantic.BaseModel]",
    "BaseBatchProcessingError": "catch batchcore.BatchProcessingError, or batchcore.BatchcoreError for all errors",
    "EventSourceDataClassTypes": "annotate the record as the class of its source, such as batchcore_sqs.SQSRecord",
    "BatchEventTypes": "annotate the record as the class of its source, such as batchcore_sqs.SQSRecord",
    "PartialSQSProcessor": "it is of version 1 of Powertools: write BatchProcessor(event_type=EventType.SQS)",
    "sqs_batch_processor": "it is of version 1 of Powertools: call process_partial_response()",
}
"""Names that are not here, and what to do."""

PRIVATE_ATTRIBUTES = {
    "DEFAULT_RESPONSE": "build_response() of a plugin makes the response",
    "_COLLECTOR_MAPPING": "a plugin that wraps identify_records()",
    "_DATA_CLASS_MAPPING": "a plugin that wraps record_decoder()",
    "_handler_accepts_lambda_context": "declare lambda_context in the handler",
    "circuit_breaker_exc": "catch batchcore.NotAttemptedError, the error of a record that had no turn",
    "group_circuit_breaker_exc": "catch batchcore.NotAttemptedError, the error of a record that had no turn",
}
"""What programs reach for inside of a processor, and what to do instead."""

EVENT_TYPES = {
    "SQS": "batchcore-sqs",
    "KinesisDataStreams": "batchcore-kinesis",
    "DynamoDBStreams": "batchcore-dynamodb",
    "Kafka": "batchcore-kafka",
}
"""Members of EventType, each with the package of its source."""

PROCESSORS = frozenset(("AsyncBatchProcessor", "BatchProcessor", "SqsFifoPartialProcessor"))
"""Processors whose private methods are never called here."""

BASES = frozenset((*PROCESSORS, "BasePartialBatchProcessor"))
"""Processors that make a response by themselves."""

CALLS = frozenset(("async_process_partial_response", "process_partial_response"))
DECORATORS = frozenset(("async_batch_processor", "batch_processor"))

NEVER_CALLED = frozenset(INSTEAD_OF) - {"_prepare", "_clean", "_process_record", "_async_process_record"}
"""Private methods of Powertools' batch processors that no processor from scratch has."""
