"""The observer that ``BATCHCORE_PLUGINS=otel`` names, configured by the environment."""

from __future__ import annotations

import os

from batchcore import ConfigurationError
from batchcore_otel.observer import FLUSH_TIMEOUT, OpenTelemetryObserver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

PRODUCERS_VARIABLE = "BATCHCORE_OTEL_PRODUCERS"
FLUSH_TIMEOUT_VARIABLE = "BATCHCORE_OTEL_FLUSH_TIMEOUT"


def from_environment(environment: Mapping[str, str]) -> OpenTelemetryObserver:
    """Make an observer of what variables say: ``BATCHCORE_OTEL_PRODUCERS`` and ``BATCHCORE_OTEL_FLUSH_TIMEOUT``.

    Raises:
        ConfigurationError: one of them says something that there is not.
    """
    producers: Any = environment.get(PRODUCERS_VARIABLE) or "link"
    seconds = environment.get(FLUSH_TIMEOUT_VARIABLE) or str(FLUSH_TIMEOUT)
    try:
        flush_timeout = float(seconds)
    except ValueError:
        raise ConfigurationError(f"{FLUSH_TIMEOUT_VARIABLE} is a number of seconds, not {seconds!r}.") from None
    return OpenTelemetryObserver(producers=producers, flush_timeout=flush_timeout)


observer = from_environment(os.environ)
