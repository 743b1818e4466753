"""Tests of the contract: what a source says of its records."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from batchcore import BatchResult, Message, hookimpl
from batchcore.testing.contract import rules
from batchcore.testing.contract.broken import at_place, broken_copy, content_of, content_places
from batchcore.testing.contract.checks import dotted, shown, texts_in

if TYPE_CHECKING:
    from batchcore.testing.contract.probe import Probe

_ATTRIBUTES: dict[str, Any] = {
    "a": {"dataType": "String", "stringValue": "x", "stringListValues": [], "binaryListValues": []},
    "b": {"dataType": "Binary", "binaryValue": "AAE=", "stringListValues": [], "binaryListValues": []},
}

_FORMS = ({"DataType", "StringValue"}, {"DataType", "BinaryValue"})


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

    def test_records_can_be_sent_on(self, probe: Probe) -> None:
        for position, record in enumerate(probe.records(probe.event)):
            sent: Any = {**record, "messageAttributes": _ATTRIBUTES} if probe.name == "sqs" else record
            try:
                message: Any = probe.hooks.original_message(sent)
            except Exception as error:
                rules.SENT_ON.broken(f"of record {position} it raises {shown(error)}", probe.name, error)
            if not isinstance(message, Message) or not isinstance(message.body, str):
                rules.SENT_ON.broken(f"of record {position} it gives {message!r}", probe.name)
            for name, attribute in message.attributes.items():
                if set(attribute) not in _FORMS:
                    rules.SENT_ON.broken(f"attribute {name!r} of record {position} has {set(attribute)}", probe.name)

    def test_different_records_are_sent_on_as_different_messages(self, probe: Probe) -> None:
        record = probe.records(probe.event)[1]
        for path in content_places(probe):
            if at_place(record, path) is None:
                continue
            bodies: list[str] = []
            for content in (b"\xff\x00", b"\xfe\x00", b"\xff\xff"):
                other = broken_copy(record, path, base64.b64encode(content).decode())
                bodies.append(probe.hooks.original_message(other).body)
            if len(set(bodies)) != len(bodies):
                rules.SENT_ON.broken(f"with different content in {dotted(path)} the same body is sent", probe.name)


class Asking:
    """An observer that asks for all that a source says of records, as one that reports them would."""

    @hookimpl
    def batch_finished(self, result: BatchResult) -> None:
        """Ask for each record."""
        for outcome in result.outcomes:
            result.batch.describe_record(outcome.record)
            result.batch.delivery_attempt(outcome.record)
            result.batch.original_message(outcome.record)
