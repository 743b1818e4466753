"""Fetches a payload that was too large for the queue or stream, and travels as a reference."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from inspect import iscoroutinefunction
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from batchcore import Batch, hookimpl

from .places import PLACES, Place, Record, after


class PayloadNotFetchedError(Exception):
    """The store did not give the payload."""


class LargePayloads:
    """Puts the payload in the place of its reference, ``{"payload_at": "<address>"}``.

    Args:
        timeout: seconds to wait for the store.
    """

    def __init__(self, timeout: float = 10) -> None:
        self.timeout = timeout

    @hookimpl(wrapper=True)
    def record_preparer(self, batch: Batch) -> Iterator[None]:
        """Fetch after what others prepare."""
        inner: Callable[[Record], Any] = yield  # type: ignore[misc]  # what the hook inside gave
        place = PLACES[batch.source]
        return after(inner, lambda record: self._fetched(place, record))  # type: ignore[return-value]

    def _fetched(self, place: Place, record: Record) -> Record:
        address = reference(place.read(record))
        return record if address is None else place.put(record, self.fetch(address))

    def fetch(self, address: str) -> str:
        """Ask the store."""
        try:
            with urlopen(address, timeout=self.timeout) as answer:
                text: str = answer.read().decode()
                return text
        except HTTPError as error:
            error.close()
            raise PayloadNotFetchedError(f"The store answered {error.code}.") from None


class AwaitedLargePayloads(LargePayloads):
    """The same for asynchronous processors: while one record waits for the store, others go on."""

    @hookimpl(wrapper=True)
    def record_preparer(self, batch: Batch) -> Iterator[None]:
        """Fetch after what others prepare, awaiting."""
        inner: Callable[[Record], Any] = yield  # type: ignore[misc]  # what the hook inside gave
        place = PLACES[batch.source]

        async def prepare(record: Record) -> Record:
            prepared = await inner(record) if iscoroutinefunction(inner) else inner(record)
            return await asyncio.to_thread(self._fetched, place, prepared)

        return prepare  # type: ignore[return-value]  # a wrapper's answer


def reference(payload: str) -> str | None:
    """Read where a payload lies, or None where it came itself."""
    value = json.loads(payload)
    return value.get("payload_at") if isinstance(value, dict) else None
