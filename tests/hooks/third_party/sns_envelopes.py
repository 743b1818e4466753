"""Opens the envelope that Amazon SNS puts round a message, inside the record: nobody behind it knows of SNS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from batchcore import Batch, hookimpl

from .places import PLACES, Record, after


class SnsEnvelopes:
    """Puts the message in the place of its envelope. A payload that is no envelope stays as it is."""

    @hookimpl(wrapper=True)
    def record_preparer(self, batch: Batch) -> Iterator[None]:
        """Open after what others prepare."""
        inner: Callable[[Record], Any] = yield  # type: ignore[misc]  # what the hook inside gave
        place = PLACES[batch.source]

        def opened(record: Record) -> Record:
            payload = json.loads(place.read(record))
            if isinstance(payload, dict) and payload.get("Type") == "Notification":
                return place.put(record, payload["Message"])
            return record

        return after(inner, opened)  # type: ignore[return-value]  # a wrapper's answer
