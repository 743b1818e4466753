"""Where Sentry is not initialised, where the observer is not named, and where it is named by the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import sentry_sdk

from batchcore import BatchProcessor, ConfigurationError
from batchcore_sentry import SentryObserver
from batchcore_testing import make_event


def fails(record: Any) -> None:
    raise ValueError


def counts(observer: SentryObserver) -> dict[str, int]:
    processor = BatchProcessor("sqs", plugins=[observer], raise_on_entire_batch_failure=False)
    return processor.run(make_event("sqs", *"abc"), fails).counts()


def test_without_a_client_it_does_nothing_and_raises_nothing(caplog: pytest.LogCaptureFixture) -> None:
    before = sentry_sdk.get_global_scope().client
    sentry_sdk.get_global_scope().set_client(None)
    observer = SentryObserver()
    assert counts(observer) == {"failed": 3}
    assert len(observer._reports) == 0
    sentry_sdk.get_global_scope().set_client(before)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_without_a_dsn_no_event_is_made_in_vain(init: Any) -> None:
    made: list[Any] = []
    init(dsn=None, before_send=lambda event, hint: made.append(event))
    assert counts(SentryObserver()) == {"failed": 3}
    assert made == []


@pytest.mark.parametrize(
    "options",
    [
        {"most_events": 0},
        {"most_events": "many"},
        {"statuses": "failed"},
        {"statuses": ["succeeded"]},
        {"flush_timeout": -1},
        {"flush_timeout": "2"},
        {"flush_timeout": 900},
    ],
)
def test_an_option_that_cannot_be_meant_is_refused(options: Any) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        SentryObserver(**options)


PROGRAM = """
import json, sys
from batchcore import BatchProcessor
processor = BatchProcessor("sqs", raise_on_entire_batch_failure=False)
print(processor.run(json.load(sys.stdin), lambda record: {}[record.body]).counts())
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("sentry_sdk", "batchcore_sentry")) != [])
"""


def run_program(**variables: str) -> list[str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith(("SENTRY_", "BATCHCORE_"))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(make_event("sqs", "a")),
        env=known | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return [*done.stdout.splitlines(), *done.stderr.splitlines()[-1:]]


def test_installing_it_alone_imports_nothing() -> None:
    assert run_program(SENTRY_DSN="http://key@127.0.0.1:9/1")[:2] == ["{'failed': 1}", "False"]


def test_the_environment_names_it_and_initialises_the_sdk(receiver: Any) -> None:
    variables = {"BATCHCORE_PLUGINS": "sentry", "SENTRY_DSN": receiver.dsn, "SENTRY_TRACES_SAMPLE_RATE": "1"}
    assert run_program(**variables)[:2] == ["{'failed': 1}", "True"]
    assert [each["exception"]["values"][-1]["type"] for each in receiver.events] == ["KeyError"]
    assert len(receiver.transactions) == 1


def test_named_without_a_dsn_it_does_nothing() -> None:
    assert run_program(BATCHCORE_PLUGINS="sentry")[:2] == ["{'failed': 1}", "True"]


def test_a_sample_rate_that_is_no_number_is_named() -> None:
    said = run_program(BATCHCORE_PLUGINS="sentry", SENTRY_DSN="http://k@127.0.0.1:9/1", SENTRY_TRACES_SAMPLE_RATE="all")
    assert "SENTRY_TRACES_SAMPLE_RATE is a number from 0 to 1, not 'all'" in said[-1]
