"""Amazon S3 Batch Operations. Importing this package offers the source ``s3batch``."""

from __future__ import annotations

from batchcore import offer
from batchcore_s3batch.hooks import S3Batch, S3BatchSource
from batchcore_s3batch.record import S3BatchTask

__all__ = [
    "S3Batch",
    "S3BatchSource",
    "S3BatchTask",
]

offer("s3batch", S3Batch)
