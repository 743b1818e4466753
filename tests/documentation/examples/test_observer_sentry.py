"""The program that reports to Sentry by an observer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sentry_sdk

Load = Callable[[str], Any]
Event = Callable[[str], Any]


def test_each_failed_record_is_an_event_with_its_tags(
    load: Load, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Any] = []

    class Captured(sentry_sdk.Transport):
        def capture_envelope(self, envelope: Any) -> None:
            events.extend(item.payload.json for item in envelope.items)

    before = sentry_sdk.get_global_scope().client
    monkeypatch.delenv("SENTRY_DSN", raising=False)
    program = load("observers/sentry.py").module
    sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", transport=Captured)
    try:
        response = program.lambda_handler(event("getting_started_sqs_event"), None)
    finally:
        sentry_sdk.get_global_scope().set_client(before)
    assert response == event("getting_started_sqs_response")
    (reported,) = events
    (failure,) = response["batchItemFailures"]
    assert reported["tags"]["item_identifier"] == failure["itemIdentifier"]
    assert reported["exception"]["values"][-1]["type"] == "JSONDecodeError"
