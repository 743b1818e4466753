"""What AWS's pages say of Amazon Data Firehose, and no source can be asked. It is for the documentation."""

from __future__ import annotations

LIMITS = {
    "firehose": {
        "setting": "always",
        "batch": "what fits `BufferSizeInMBs`: 1 MB; at most 3 MB",
        "gives up": (
            "at once where the result is `ProcessingFailed`; the whole batch after 3 retries of an error. Either goes "
            "to the bucket, below `processing-failed`"
        ),
        "limits": "5 minutes, 6 MB of event and of response",
    },
}
