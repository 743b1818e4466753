"""What AWS's pages say of EventBridge Pipes, and no source can be asked. It is for the documentation."""

from __future__ import annotations

_TIME = "5 minutes with the enrichment, 6 MB"
_STREAM = {
    "setting": "always, with `REQUEST_RESPONSE`",
    "batch": "100; at most 10,000",
    "gives up": (
        "after `MaximumRetryAttempts` or `MaximumRecordAgeInSeconds`, with the rest of the batch; where it is goes to "
        "the `DeadLetterConfig`. By default only when it expires"
    ),
    "limits": _TIME,
}
_WHOLE = {
    "setting": "never: only an error is",
    "batch": "100; at most 10,000",
    "gives up": "when it expires",
    "limits": _TIME,
}

LIMITS = {
    "pipes-dynamodb": _STREAM,
    "pipes-kafka": _WHOLE,
    "pipes-kinesis": _STREAM,
    "pipes-mq": {
        **_WHOLE,
        "gives up": (
            "when it expires, or after as many deliveries as the broker allows, which count for the whole batch"
        ),
    },
    "pipes-sqs": {
        "setting": "always, with `REQUEST_RESPONSE`",
        "batch": "10; at most 10,000, of a FIFO queue 10",
        "gives up": "after `maxReceiveCount` receives, to the dead-letter queue of the queue, if it has one",
        "limits": f"{_TIME}; visibility timeout at least six times that of the pipe",
    },
}
