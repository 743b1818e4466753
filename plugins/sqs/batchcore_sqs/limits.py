"""What AWS's pages say of Amazon SQS, and no source can be asked. It is for the documentation."""

from __future__ import annotations

LIMITS = {
    "sqs": {
        "setting": "with `ReportBatchItemFailures` on the mapping",
        "batch": "10; at most 10,000, of a FIFO queue 10",
        "gives up": "after `maxReceiveCount` receives, to the dead-letter queue of the queue, if it has one",
        "limits": "30 minutes, 6 MB; visibility timeout at least six times the function's timeout",
    },
}
