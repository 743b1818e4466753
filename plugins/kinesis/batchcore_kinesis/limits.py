"""What AWS's pages say of Kinesis Data Streams, and no source can be asked. It is for the documentation."""

from __future__ import annotations

LIMITS = {
    "kinesis": {
        "setting": "with `ReportBatchItemFailures` on the mapping",
        "batch": "100; at most 10,000",
        "gives up": (
            "after `MaximumRetryAttempts` or `MaximumRecordAgeInSeconds`, with the rest of the batch; where it is goes "
            "to the on-failure destination. By default only when it expires"
        ),
        "limits": "30 minutes, 6 MB; 1 MB of state of a window",
    },
}
