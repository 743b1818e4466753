"""A loop by hand, with nothing but what a partial response needs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from benchmarks.events import Event
    from benchmarks.rows import Row
    from benchmarks.sides import Process


def prepare(row: Row, logger: logging.Logger | None = None) -> Process:
    """Make the loop for a row. It logs nothing."""
    if row.kind == "async":
        return _asynchronous(row.handler)
    if row.kind in ("kinesis", "dynamodb"):
        return _plain(
            row.raw_handler,
            lambda record: record[row.kind]["sequenceNumber" if row.kind == "kinesis" else "SequenceNumber"],
        )
    if row.kind == "kafka":
        return _partitions(row.raw_handler)
    if row.kind == "groups":
        return _groups(row.raw_handler)
    return _plain(row.raw_handler, lambda record: record["messageId"])


def _plain(handler: Callable[..., Any], identifier: Callable[[dict[str, Any]], str]) -> Process:
    def process(event: Event) -> Any:
        failures = []
        for record in event["Records"]:
            try:
                handler(record)
            except Exception:
                failures.append({"itemIdentifier": identifier(record)})
        return {"batchItemFailures": failures}

    return process


def _partitions(handler: Callable[..., Any]) -> Process:
    def process(event: Event) -> Any:
        failures = []
        for records in event["records"].values():
            for record in records:
                try:
                    handler(record)
                except Exception:
                    partition = f"{record['topic']}-{record['partition']}"
                    failures.append({"itemIdentifier": {"partition": partition, "offset": record["offset"]}})
        return {"batchItemFailures": failures}

    return process


def _groups(handler: Callable[..., Any]) -> Process:
    def process(event: Event) -> Any:
        failures, failed_groups = [], set()
        for record in event["Records"]:
            group = record["attributes"]["MessageGroupId"]
            try:
                if group not in failed_groups:
                    handler(record)
                    continue
            except Exception:
                failed_groups.add(group)
            failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    return process


def _asynchronous(handler: Callable[..., Any]) -> Process:
    loop = asyncio.new_event_loop()

    async def process_all(event: Event) -> Any:
        records = event["Records"]
        results = await asyncio.gather(*map(handler, records), return_exceptions=True)
        failures = [
            {"itemIdentifier": record["messageId"]}
            for record, result in zip(records, results, strict=True)
            if isinstance(result, BaseException)
        ]
        return {"batchItemFailures": failures}

    return lambda event: loop.run_until_complete(process_all(event))
