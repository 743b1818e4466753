"""A function with the observer that the environment names, or with none but what that one sets up."""

import importlib
import os

from batchcore import BatchProcessor, EventType, process_partial_response
from benchmarks.handlers import fails_on_poison

name = os.environ["OBSERVED"]
held = importlib.import_module(f"benchmarks.observed.{name}").plugins(os.environ["SINK"])
plugins = held.__enter__()
processor = BatchProcessor(event_type=EventType.SQS, plugins=plugins if os.environ["NAMED"] == "yes" else [])


def lambda_handler(event: dict[str, object], context: object) -> object:
    return process_partial_response(event=event, record_handler=fails_on_poison, processor=processor, context=context)
