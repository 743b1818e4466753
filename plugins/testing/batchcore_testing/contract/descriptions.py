"""Tests of the contract: what a source says of its records."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from batchcore import BatchResult, hookimpl
from batchcore_testing.contract import rules
from batchcore_testing.contract.broken import content_of
from batchcore_testing.contract.checks import texts_in

if TYPE_CHECKING:
    from batchcore_testing.contract.probe import Probe


class DescriptionTests:
    """What a source says of its records."""

    def test_descriptions_hold_no_content(self, probe: Probe) -> None:
        for position, record in enumerate(probe.records(probe.event)):
            description: Any = probe.hooks.describe_record(record)
            if not isinstance(description, Mapping):
                rules.DESCRIBED.broken(f"of record {position} it gives {description!r}, no mapping", probe.name)
            try:
                texts = texts_in(json.loads(json.dumps({**description})))
            except (TypeError, ValueError) as error:
                rules.DESCRIBED.broken(f"of record {position} it gives {description!r}: {error}", probe.name, error)
            if any(content[:40] in text for content in content_of(probe, record) for text in texts):
                rules.DESCRIBED.broken(f"of record {position} it gives {description!r}", probe.name)

    def test_deliveries_are_counted_from_one(self, probe: Probe) -> None:
        for position, record in enumerate(probe.records(probe.event)):
            attempts: list[Any] = [probe.hooks.delivery_attempt(copy.deepcopy(record)) for _ in range(2)]
            for attempt in attempts:
                if attempt is not None and (isinstance(attempt, bool) or not isinstance(attempt, int) or attempt < 1):
                    rules.COUNTED.broken(f"record {position} has delivery {attempt!r}", probe.name)
            if attempts[0] != attempts[1]:
                rules.COUNTED.broken(f"one record {position} has deliveries {attempts}", probe.name)


class Asking:
    """An observer that asks for all that a source says of records, as one that reports them would."""

    @hookimpl
    def batch_finished(self, result: BatchResult) -> None:
        """Ask for each record."""
        for outcome in result.outcomes:
            result.batch.describe_record(outcome.record)
            result.batch.delivery_attempt(outcome.record)
            result.batch.original_message(outcome.record)
