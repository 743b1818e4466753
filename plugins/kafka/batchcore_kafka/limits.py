"""What AWS's pages say of Apache Kafka, and no source can be asked. It is for the documentation."""

from __future__ import annotations

LIMITS = {
    "kafka": {
        "setting": "with `ReportBatchItemFailures` on the mapping, in provisioned mode",
        "batch": "100; at most 10,000",
        "gives up": (
            "in provisioned mode after `MaximumRetryAttempts` or `MaximumRecordAgeInSeconds`, or after 10 retries "
            "where only an on-failure destination is set, which gets the records where it is a bucket or a topic of "
            "Kafka; otherwise when it expires. In queue mode after as many deliveries as the broker has, 5 by default"
        ),
        "limits": "14 minutes, 6 MB",
    },
}
