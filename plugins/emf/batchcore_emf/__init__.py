"""Metrics of each batch in CloudWatch's embedded metric format: one line of JSON on standard output.

CloudWatch makes metrics of the line, so there is no call to wait for, and nothing to deploy beside this package.
"""

from __future__ import annotations

from batchcore_emf.metrics import CloudWatchMetrics

__all__ = ["CloudWatchMetrics"]
