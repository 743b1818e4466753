"""The page on what each source can do is what the sources say today, and a new source has its row by itself."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import batchcore
from batchcore import RecordView, by_key, hookimpl, in_order, offer, unordered
from batchcore.records import batch_item_failures
from batchcore.source import offered
from batchcore_testing import EventFactory, Sent
from batchcore_testing.services import resolved_source

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
    keys = tuple(key for key in asked.told if key != "attempts")
    assert keys == TOLD, f"{asked.package}.limits has a dictionary LIMITS with {asked.name!r}"
    assert all(text and "|" not in text and "\n" not in text for text in asked.told.values())


# A source of somebody's own, and what the page says of it.


class Letters:
    """A source whose event is an object with a list ``letters``."""

    name = "letters"
    ordering: Any = unordered
    checkpoint = False
    whole = False
    counts: Any = ()

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
        return "batch" if self.whole else "checkpoint" if self.checkpoint else "record"

    @hookimpl
    def delivery_attempt(self, record: Any) -> int | None:
        return record["attempt"] if record["attempt"] in self.counts else None

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
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
            {"ordering": by_key(addressee)},
            {
                "order": "in order for each addressee, up to the first failure",
                "comes_again": "all from the first failed record of its addressee on",
                "dead_letters": "when nothing before in its addressee comes again",
            },
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
                "dead_letters": "when nothing else fails",
            },
        ),
        ({"counts": (1, 2, 3)}, {"attempts": "counted"}),
        ({"counts": (2, 3)}, {"attempts": "counted from delivery 2 on"}),
    ],
    ids=["in order", "by key", "by key with stops", "by a lambda", "checkpoint", "whole batch", "counts", "later"],
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


def test_of_messages_that_do_not_all_tell_it_the_package_says_which_do() -> None:
    told = {**dict.fromkeys(TOLD, "told"), "attempts": "of registered letters"}
    assert capabilities.attempts(letters(told, counts=(1, 2, 3))) == "counted, of registered letters"
    assert capabilities.attempts(letters(told)) == "not known"


def test_kafka_has_a_row_for_each_way_in_which_a_mapping_reads_it() -> None:
    stream, queue = (asked for asked in SOURCES if asked.name == "kafka")
    event = capabilities.event_of(stream)
    assert [stream.label, queue.label] == ["`kafka`, stream mode", "`kafka`, queue mode"]
    of_its_partition = "all from the first failed record of its topic partition on"
    assert [capabilities.comes_again(asked, event) for asked in (stream, queue)] == [
        of_its_partition,
        "the failed record",
    ]
    assert [capabilities.dead_letters(asked, event) for asked in (stream, queue)] == [
        "when nothing before in its topic partition comes again",
        "yes",
    ]
    assert [capabilities.order(asked, event)[:8] for asked in (stream, queue)] == ["in order", "any"]


def test_what_was_not_tried_comes_again_of_a_source_that_delivers_nothing_again_by_itself() -> None:
    (firehose,) = (asked for asked in SOURCES if asked.name == "firehose")
    event = capabilities.event_of(firehose)
    assert capabilities.comes_again(firehose, event) == "nothing, unless a record was not tried: the whole batch"
    assert capabilities.dead_letters(firehose, event) == "yes, but again where a record was not tried"


def test_a_source_of_two_services_names_the_view_of_each() -> None:
    (pipe,) = (asked for asked in SOURCES if asked.name == "pipes-mq")
    assert capabilities.view(pipe) == "`ActiveMQMessage` or `RabbitMQMessage`"


@each_source
def test_every_source_of_ours_has_a_template_that_deploys_it(asked: Asked) -> None:
    assert asked.way == "queue mode" or capabilities.template(asked).startswith("[template](../examples/")


PLAIN = [asked for asked in SOURCES if asked.name != "sqs" and not asked.way]
"""SQS brings batchcore's own FIFO processors an ordering of their own; Kafka is two sources in one."""


@pytest.mark.parametrize("asked", PLAIN, ids=[asked.name for asked in PLAIN])
def test_a_plain_source_has_no_more_than_sixty_lines(asked: Asked) -> None:
    path = capabilities.file_of(resolved_source(asked.source).plugin)
    same = {
        id(plugin)
        for plugin in (resolved_source(other.source).plugin for other in SOURCES)
        if capabilities.file_of(plugin) == path
    }
    assert capabilities.lines_of(path) <= 60 * len(same)


def test_lines_beside_are_those_of_files_that_a_source_needs_but_no_views() -> None:
    from batchcore_firehose import Firehose
    from batchcore_kinesis import KinesisDataStreams

    files = capabilities.files_beside(capabilities.file_of(Firehose))
    assert [path.name for path in files] == ["results.py"]
    assert capabilities.files_beside(capabilities.file_of(KinesisDataStreams)) == set()


ADVICE = {"entry_points.py", "shapes.py"}
NAMES_OF_THE_PEER = {"processors.py", "types.py"}


def test_the_core_names_sources_where_it_gives_advice_alone() -> None:
    names = {asked.name for asked in SOURCES} | {f"batchcore_{asked.name}" for asked in SOURCES}
    core = Path(batchcore.__file__).parent
    named = {
        path.name
        for path in core.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in names
    }
    assert {"entry_points.py", "processors.py"} <= named <= ADVICE | NAMES_OF_THE_PEER


def test_lines_are_those_of_code_alone() -> None:
    from batchcore_kinesis import KinesisDataStreams

    path = capabilities.file_of(KinesisDataStreams)
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert 20 < capabilities.lines_of(path) < len(lines)
