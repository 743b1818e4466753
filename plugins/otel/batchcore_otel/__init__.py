"""Traces and metrics of batches by OpenTelemetry: a span per batch and per record, linked to the producers.

An observer is passed to a processor as one of its ``plugins``. It needs the API of OpenTelemetry alone: where no SDK is
set up, it does nothing.
"""

from __future__ import annotations

from batchcore_otel.observer import OpenTelemetryObserver

__all__ = ["OpenTelemetryObserver"]
