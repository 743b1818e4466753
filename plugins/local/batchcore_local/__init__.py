"""An event source mapping on your own machine: a real queue, your function, and Lambda's rules between them.

The server is in ``batchcore_local.server``, which imports boto3 and moto.
"""

from __future__ import annotations

from batchcore_local.errors import (
    AmbiguousPollerError,
    FunctionNotFoundError,
    LocalError,
    NotDrainedError,
    PollerBrokenError,
    PollerError,
    PollerNotInstalledError,
    SettlementError,
)
from batchcore_local.function import Invocation, LocalContext, LocalFunction, load_handler
from batchcore_local.mapping import BatchReport, EventSourceMapping
from batchcore_local.poller import Connection, Delivery, Poller, PollerDriver, find_driver
from batchcore_local.response import Reading, read_response
from batchcore_local.sqs import SqsPoller, lambda_record

__all__ = [
    "AmbiguousPollerError",
    "BatchReport",
    "Connection",
    "Delivery",
    "EventSourceMapping",
    "FunctionNotFoundError",
    "Invocation",
    "LocalContext",
    "LocalError",
    "LocalFunction",
    "NotDrainedError",
    "Poller",
    "PollerBrokenError",
    "PollerDriver",
    "PollerError",
    "PollerNotInstalledError",
    "Reading",
    "SettlementError",
    "SqsPoller",
    "find_driver",
    "lambda_record",
    "load_handler",
    "read_response",
]
