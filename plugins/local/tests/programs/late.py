"""Imports where they are needed: in functions, several in a line, beside others of one module."""


def make_processor():
    from aws_lambda_powertools.utilities import batch, parameters

    return batch.BatchProcessor(event_type=batch.EventType.SQS)


def record_handler(record):
    import json; from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError, SQSFifoCircuitBreakerError as Stop; assert Stop  # fmt: skip

    if record.body == "stop":
        raise BatchProcessingError("stopped")
    return json.loads(record.body)


processor = make_processor()


def lambda_handler(event, context):
    if True: from aws_lambda_powertools.utilities.batch import process_partial_response as process  # fmt: skip

    return process(event=event, record_handler=record_handler, processor=processor, context=context)
