"""The page on what each source can do is what the sources say today, and a new source has its row by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from batchcore import RecordView, WholeBatchRetry, by_key, hookimpl, in_order, offer, unordered
from batchcore.records import batch_item_failures
from batchcore.source import offered
from batchcore_testing import EventFactory, Sent

from . import capabilities
from .capabilities import COMMAND, PAGE, TOLD, Asked, installed

SOURCES = installed()
each_source = pytest.mark.parametrize("asked", SOURCES, ids=[asked.name for asked in SOURCES])


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == capabilities.page(SOURCES), f"run: {COMMAND}"


def test_every_source_of_ours_is_there() -> None:
    assert {"dynamodb", "kinesis", "sqs", *(f"pipes-{of}" for of in ("sqs", "kinesis", "dynamodb", "kafka", "mq"))} <= {
        asked.name for asked in SOURCES
    }


@each_source
def test_every_package_tells_what_no_source_can_be_asked(asked: Asked) -> None:
    assert tuple(asked.told) == TOLD, f"{asked.package}.limits has a dictionary LIMITS with {asked.name!r}"
    assert all(text and "|" not in text and "\n" not in text for text in asked.told.values())


# A source of somebody's own, and what the page says of it.


class Letters:
    """A source whose event is an object with a list ``letters``."""

    name = "letters"
    ordering: Any = unordered
    checkpoint = False
    whole = False
    counts = False

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and "letters" in event

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Any]:
        records: list[Any] = event["letters"]
        return records

    @hookimpl
    def identify_records(self, records: Sequence[Any]) -> Sequence[Any]:
        return [record["stamp"]["id"] for record in records]

    @hookimpl
    def record_decoder(self, batch: Any) -> Any:
        return RecordView

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        return self.ordering

    @hookimpl
    def acknowledgement(self) -> Any:
        return "checkpoint" if self.checkpoint else "record"

    @hookimpl
    def delivery_attempt(self, record: Any) -> int | None:
        return record["attempt"] if self.counts else None

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        if self.whole and outcomes.unfinished():
            raise WholeBatchRetry("all of it")
        return batch_item_failures(batch, outcomes)


class LetterEvents(EventFactory):
    """Makes them."""

    def record(self, sent: Sent) -> dict[str, Any]:
        return {"stamp": {"id": f"letter {sent.number}"}, "to": sent.key, "attempt": sent.attempt}

    def event(self, records: Sequence[Any]) -> Any:
        return {"letters": list(records)}


def letters(told: Mapping[str, str] | None = None, **attributes: Any) -> Asked:
    source = Letters()
    for name, value in attributes.items():
        setattr(source, name, value)
    return Asked("letters", source, LetterEvents(), "acme_letters", told or {})


def addressee(record: Any) -> Any:
    return record["to"]


def test_a_new_source_has_its_rows() -> None:
    offer("letters", Letters())
    try:
        text = capabilities.page([letters(dict.fromkeys(TOLD, "told"))])
    finally:
        offered().pop("letters")

    rows = [line for line in text.splitlines() if line.startswith("| `letters` |")]
    assert rows[:3] == [
        "| `letters` | `batchItemFailures` | `stamp.id` | the failed record |",
        "| `letters` | any | yes | not known | no |",
        "| `letters` | told | told | told | told |",
    ]
    assert "| by name or event | `RecordView` |" in rows[3]


def test_what_a_package_does_not_tell_is_not_made_up() -> None:
    assert "| `letters` | not told | not told | not told | not told |" in capabilities.page([letters()])


STOPPED = {"comes_again": "all from the first failed record on", "dead_letters": "when nothing before comes again"}


def test_a_source_that_nobody_offers_is_found_by_no_event() -> None:
    assert capabilities.found(letters()) == "by name alone"


@pytest.mark.parametrize(
    ("attributes", "answers"),
    [
        ({"ordering": in_order()}, {"order": "in order, up to the first failure", **STOPPED}),
        (
            {"ordering": by_key(addressee, on_failure="continue")},
            {"order": "in order for each addressee, past a failure"},
        ),
        (
            {"ordering": by_key(lambda record: 1)},
            {"order": "in order for each key, up to the first failure", **STOPPED},
        ),
        (
            {"checkpoint": True},
            STOPPED,
        ),
        (
            {"whole": True},
            {
                "partial_response": "no: an error fails the batch",
                "comes_again": "the whole batch",
                "dead_letters": "again where another fails",
            },
        ),
        ({"counts": True}, {"attempts": "counted"}),
    ],
    ids=["in order", "by key", "by a lambda", "checkpoint", "whole batch", "counts"],
)
def test_each_answer_is_that_of_the_source(attributes: dict[str, Any], answers: dict[str, str]) -> None:
    asked = letters(**attributes)
    plain = {
        "order": "any",
        "comes_again": "the failed record",
        "partial_response": "`batchItemFailures`",
        "dead_letters": "yes",
        "attempts": "not known",
    }
    event = capabilities.event_of(asked)
    given = {
        "order": capabilities.order(asked, event),
        "comes_again": capabilities.comes_again(asked, event),
        "partial_response": capabilities.partial_response(asked),
        "dead_letters": capabilities.dead_letters(asked, event),
        "attempts": capabilities.attempts(asked),
    }
    assert given == {**plain, **answers}


def test_lines_are_those_of_code_alone() -> None:
    from batchcore_kinesis import KinesisDataStreams

    text = capabilities.file_of(KinesisDataStreams).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert 20 < capabilities.lines_of(KinesisDataStreams) < len(lines)
