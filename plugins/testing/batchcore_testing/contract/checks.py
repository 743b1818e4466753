"""What the tests of the suite ask of a source."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from batchcore import BatchProcessor, RecordIdentityError, UnexpectedBatchTypeError, WholeBatchRetry
from batchcore_testing.contract.broken import Path, broken_copy
from batchcore_testing.contract.runs import SILENT

if TYPE_CHECKING:
    from batchcore_testing.contract.probe import Probe, Run
    from batchcore_testing.contract.rules import Rule

REFUSALS = (UnexpectedBatchTypeError, RecordIdentityError)


def claims(probe: Probe, event: Any) -> bool:
    """Whether a source claims an event. What its hook raises is taken for no by every processor."""
    try:
        return bool(probe.hooks.claims_event(event))
    except Exception:
        return False


def is_refused(probe: Probe, event: Any, plugins: Sequence[object] = ()) -> bool:
    """Whether a batch is refused before its first record."""
    processor = BatchProcessor(probe.source, raise_on_entire_batch_failure=False, logger=SILENT, plugins=plugins)
    called: list[Any] = []
    try:
        processor.run(event, called.append)
    except REFUSALS:
        return not called
    except Exception:
        return False
    return False


def others_are_handled(probe: Probe, event: Any, plugins: Sequence[object], what: str, rule: Rule) -> None:
    """Check that a batch whose record 1 is broken costs that record alone, or is refused before the first.

    Args:
        probe: looks at the source.
        event: the event, or that of which the plugins break a record.
        plugins: what breaks it.
        what: how it is broken, for a message.
        rule: what is broken where it costs more.

    Raises:
        ContractBroken: it costs more.
    """
    processor = BatchProcessor(probe.source, raise_on_entire_batch_failure=False, logger=SILENT, plugins=plugins)
    called: list[Any] = []

    def handler(record: Any) -> None:
        called.append(record)

    try:
        outcomes = list(processor.run(event, handler).outcomes)
    except REFUSALS:
        if called:
            rule.broken(f"{what}: the batch is refused after {len(called)} calls", probe.name)
        return
    except WholeBatchRetry:
        return
    except Exception as error:
        rule.broken(f"{what}: the batch ends with {shown(error)}", probe.name, error)
    failed = [outcome for outcome in outcomes if outcome.status == "failed" and outcome.position != 1]
    if failed:
        seen = f"{what}: records {[outcome.position for outcome in failed]} fail too"
        rule.broken(seen, probe.name, failed[0].exception)


def identifiers_of(probe: Probe, event: Any) -> Sequence[Any]:
    """Return what a source names the records of an event by."""
    return probe.hooks.identify_records(probe.hooks.extract_records(event))


def not_attempted(run: Run, size: int) -> set[int]:
    """Return the positions of the records whose handler was not called."""
    return set(range(size)) - set(run.watch.begun)


def expected_failures(probe: Probe, run: Run, size: int, failed: set[int]) -> set[int]:
    """Return the positions that a response must be read as, when the handlers of some records failed."""
    untried = not_attempted(run, size) - failed
    if probe.service.kind == "whole batch":
        return set(range(size)) if failed or untried else set()
    if untried and not probe.service.redelivers:
        return set(range(size))  # by an error: answered as failed, what was not tried would not come again
    return failed | untried


def names_it(probe: Probe, record: Any, path: Path) -> bool:
    """Whether a record would be named otherwise, or not at all, with something else at a place."""
    identifier = probe.service.identifier(record)
    try:
        return bool(probe.service.identifier(broken_copy(record, path, "another")) != identifier)
    except Exception:
        return True


def dotted(path: Path) -> str:
    """Write a place of a record."""
    return ".".join(map(str, path)) or "itself"


def as_json(value: Any) -> str:
    """Return a value as JSON, or as Python shows it where it is none."""
    try:
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError):
        return repr(value)


def texts_in(value: Any) -> list[str]:
    """Return every text in a value of JSON."""
    inside: Any = value
    if isinstance(value, str):
        return [value]
    if isinstance(value, (Mapping, list, tuple)):
        parts = inside.values() if isinstance(value, Mapping) else inside
        return [text for part in parts for text in texts_in(part)]
    return []


def shown(error: BaseException) -> str:
    """Write an exception."""
    return f"{type(error).__name__}: {error}"
