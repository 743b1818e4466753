"""What AWS's pages say of Amazon S3 Batch Operations, and no source can be asked. It is for the documentation."""

from __future__ import annotations

LIMITS = {
    "s3batch": {
        "setting": "always",
        "batch": "1",
        "gives up": (
            "at once where the result is `PermanentFailure`, or after an error; a `TemporaryFailure` is tried again, "
            "how often is not documented. The completion report has each"
        ),
        "limits": "30 minutes, 6 MB",
    },
}
