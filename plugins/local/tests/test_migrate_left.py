"""What ``batchcore migrate`` does not understand it leaves, with the line and what to do."""

# Programs stand in one line each.
# ruff: noqa: E501, ISC004

from __future__ import annotations

import pytest

from batchcore.options import INSTEAD_OF
from batchcore_local.migrate.driver import parse
from batchcore_local.migrate.powertools import study
from batchcore_local.migrate.study import Study

B = "aws_lambda_powertools.utilities.batch"
D = "aws_lambda_powertools.utilities.data_classes"
P = "aws_lambda_powertools.utilities.parser"
PLAIN = f"from {B} import BatchProcessor, EventType\nprocessor = BatchProcessor(event_type=EventType.SQS)\n"


def studied(source: str) -> Study:
    return study(parse(source.encode()))


def changed(source: str) -> str:
    found = studied(source)
    assert found.left == []
    assert found.rewrite is not None
    text: str = found.rewrite().code
    return text


LEFT = {
    "a star": (f"from {B} import *\n", 1, "Import the names that are used"),
    "a name that is not here": (
        f"from {B} import (\n    EventType,\n    BatchTypeModels)\n",
        3,
        "type[pydantic.BaseModel]",
    ),
    "a name of version 1": (f"from {B} import sqs_batch_processor\n", 1, "process_partial_response()"),
    "a name nobody knows": (f"from {B}.base import logger\n", 1, "decide by hand"),
    "a whole path": (f"import {B}\nx = {B}.BatchProcessor\n", 1, "without `as`"),
    "a longer path": ("import aws_lambda_powertools as p\n\nx = p.utilities.batch.EventType.SQS\n", 3, "through p"),
    "a path by utilities": (
        "from aws_lambda_powertools import utilities\nx = utilities.batch.EventType.SQS\n",
        2,
        "through utilities",
    ),
    "a module that is something else, too": (
        "from aws_lambda_powertools.utilities import batch\n\ndef f(batch):\n    return batch\n",
        3,
        "something else",
    ),
    "a module's name of another package": (
        f"import {B} as b\nprocessor = b.SqsFifoPartialProcessor()\n",
        2,
        f"from {B} import SqsFifoPartialProcessor",
    ),
    "a module's private name": (f"import {B} as b\nx = b.BatchTypeModels\n", 2, "not in batchcore"),
    "where it may be missing": (
        f"try:\n    from {B} import EventType\nexcept ImportError:\n    EventType = None\n",
        2,
        "not installed",
    ),
    "where it was missing": (
        f"try:\n    import other\nexcept (ImportError, KeyError):\n    from {B} import EventType\n",
        4,
        "not installed",
    ),
    "suppressed": (
        f"from contextlib import suppress\nwith suppress(ModuleNotFoundError):\n    from {B} import EventType\n",
        3,
        "not installed",
    ),
    "a patched name": (f'{PLAIN}patch("{B}.BatchProcessor.process")\n', 3, "in a text"),
    "a late import": (f'import importlib\nb = importlib.import_module("{B}")\n', 2, "in a text"),
    "the value of a type": (f"{PLAIN}print(EventType.SQS.value)\n", 3, "another one"),
    "a type by its value": (f'{PLAIN}x = EventType("SQS")\n', 3, "used as more than its members"),
    "all types": (f"{PLAIN}x = list(EventType)\n", 3, "used as more than its members"),
    "a type there is not": (f"{PLAIN}x = EventType.Other\n", 3, "not in batchcore"),
    "the value of a processor's type": (f"{PLAIN}x = processor.event_type.value\n", 3, "another one"),
    "the value of a type of a module": (f"import {B} as b\nprint(b.EventType.SQS.value)\n", 2, "another one"),
    "a decorator that is called": (
        f"from {B} import batch_processor\nresponse = batch_processor(handler, event, context)\n",
        2,
        "process_partial_response()",
    ),
    "the mapping of a processor": (f"{PLAIN}processor._DATA_CLASS_MAPPING = {{}}\n", 3, "record_decoder()"),
    "a private method that is called": (f"{PLAIN}x = processor._collect_sqs_failures()\n", 3, "identify_records()"),
    "the default of a response": (f"{PLAIN}x = BatchProcessor.DEFAULT_RESPONSE\n", 3, "build_response()"),
    "a record's class that is compared": (
        f"{PLAIN}from {D}.sqs_event import SQSEvent, SQSRecord\n\ndef handle(record):\n    return isinstance(record, SQSRecord)\n",
        6,
        "is compared with",
    ),
    "an event's name by its value": (
        f"{PLAIN}from {D}.dynamo_db_stream_event import DynamoDBRecordEventName as N\nx = N(0)\n",
        4,
        "is compared with",
    ),
    "the value of an event's name": (f"{PLAIN}x = record.event_name.value\n", 3, "another one"),
    "a record's class of a module": (
        f"{PLAIN}from {D} import sqs_event\nx = isinstance(1, sqs_event.SQSRecord)\n",
        4,
        f"from {D}.sqs_event import SQSRecord",
    ),
    "an event's name of a module": (
        f"{PLAIN}import {D}.dynamo_db_stream_event as d\nx = 1 == d.DynamoDBRecordEventName.INSERT\n",
        4,
        "compares with d.DynamoDBRecordEventName",
    ),
    "a record's class of a whole path": (
        f"{PLAIN}import {D}.sqs_event\nx = isinstance(1, {D}.sqs_event.SQSRecord)\n",
        4,
        "compares with",
    ),
    "a record's class in a pattern": (
        f"{PLAIN}from {D}.sqs_event import SQSRecord\nmatch 1:\n    case SQSRecord(): ...\n",
        5,
        "is compared with",
    ),
    "a record's class that is a base": (
        f"{PLAIN}from {D}.sqs_event import SQSRecord\nclass Own(SQSRecord): ...\n",
        4,
        "or a base",
    ),
    "a record's class by class": (
        f"{PLAIN}from {D}.sqs_event import SQSRecord\nx = HANDLERS[SQSRecord]\n",
        4,
        "is compared with",
    ),
    "event names of both": (
        f"{PLAIN}from {D}.dynamo_db_stream_event import DynamoDBRecordEventName as N, DynamoDBStreamEvent\n"
        "def other(event):\n    return [r for r in DynamoDBStreamEvent(event).records if r.event_name == N.INSERT]\n",
        5,
        "Compare with texts",
    ),
    "a coroutine of an override": (
        f"{PLAIN}class Own(BatchProcessor):\n    async def failure_handler(self, record, exception):\n        pass\n",
        4,
        "plain def",
    ),
}


@pytest.mark.parametrize("what", LEFT)
def test_what_is_not_understood_is_left_with_its_line_and_what_to_do(what: str) -> None:
    source, line, words = LEFT[what]
    found = studied(source)
    assert found.rewrite is None
    assert found.concerned
    assert (found.left[0].line, words in found.left[0].text) == (line, True)


@pytest.mark.parametrize("name", INSTEAD_OF)
@pytest.mark.parametrize(
    "base", ["BatchProcessor", "AsyncBatchProcessor", "SqsFifoPartialProcessor", "b.BatchProcessor"]
)
def test_an_override_that_is_never_called_is_left_with_the_hook(base: str, name: str) -> None:
    imports = f"import {B} as b\n" if base.startswith("b.") else f"from {B} import {base}\n"
    found = studied(
        f"{imports}class First({base}):\n    x = 1\n\nclass Second(First):\n    def {name}(self, record):\n        pass\n"
    )
    assert found.rewrite is None
    ((line, text),) = found.left
    assert line == 6
    assert text.endswith(f"Instead: {INSTEAD_OF[name]}.")


def test_an_override_of_a_class_from_elsewhere_is_left_also_where_nothing_is_imported() -> None:
    found = studied(
        "from common import Processor\n\nclass Own(Processor):\n    def _collect_sqs_failures(self):\n        return []\n"
    )
    assert found.concerned
    assert [line for line, _ in found.left] == [4]


def test_a_processor_from_scratch_may_have_methods_of_those_names() -> None:
    methods = "".join(f"    def {name}(self, record=None):\n        pass\n" for name in INSTEAD_OF)
    assert "from batchcore import" in changed(
        f"from {B} import BasePartialProcessor\nclass Own(BasePartialProcessor):\n{methods}"
    )


def test_a_program_with_one_thing_that_is_left_is_left_as_a_whole() -> None:
    found = studied(
        f"from {B} import EventType, BatchTypeModels\nx = EventType.Kafka\nfrom {D}.sqs_event import SQSRecord\ndef f(r: SQSRecord): ...\n"
    )
    assert (found.rewrite, found.notes) == (None, [])


# What is left of a program that goes over.

HANDLED = "def handle(record: SQSRecord): ...\nprocess_partial_response({}, handle, None)\n"


def records_of(uses: str, names: str = "SQSRecord") -> str:
    return changed(f"from {B} import process_partial_response\nfrom {D}.sqs_event import {names}\n{uses}")


@pytest.mark.parametrize(
    "uses",
    [
        HANDLED,
        "def handle(record: 'SQSRecord'): ...\n",
        "def handle(records: list[SQSRecord]) -> dict[str, SQSRecord]: ...\n",
        "record: SQSRecord | None = None\n",
        "type Kind = SQSRecord | None\n",
        "record = SQSRecord({})\n",
        "handler: Callable[[SQSRecord], None] = print\nKind = Callable[[SQSRecord], None]\n",
        "from typing import cast\nx = cast(SQSRecord, 1)\ny = cast('SQSRecord', 2)\n",
        "class Own:\n    def failure_handler(self, record: SQSRecord, exception): ...\n",
    ],
)
def test_a_record_goes_over_where_it_is_an_annotation(uses: str) -> None:
    assert "from batchcore_sqs import SQSRecord\n" in records_of(uses)


@pytest.mark.parametrize(
    ("uses", "names", "goes"),
    [
        (HANDLED, "SQSEvent, SQSRecord", True),
        (HANDLED + "def last(event: SQSEvent) -> SQSRecord: ...\n", "SQSEvent, SQSRecord", False),
        (HANDLED + "other: SQSRecord\n", "SQSEvent, SQSRecord", False),
        (HANDLED + "other = SQSRecord({})\n", "SQSEvent, SQSRecord", False),
        (HANDLED.replace("...", "SQSRecord({})"), "SQSEvent, SQSRecord", False),
        (HANDLED, "SQSEvent, SQSRecord as Message", False),
        ("", "SQSRecord", False),
    ],
)
def test_beside_other_records_only_those_of_handlers_go_over(uses: str, names: str, goes: bool) -> None:
    new = records_of(uses, names)
    assert ("batchcore_sqs" in new) is goes
    assert f"from {D}.sqs_event import" in new or names == "SQSRecord"


def test_a_record_that_is_made_by_its_module_stays() -> None:
    new = changed(f"{PLAIN}from {D} import sqs_event\nx = sqs_event.SQSRecord({{}})\ny: sqs_event.SQSRecord\n")
    assert f"from {D} import sqs_event\n" in new


def test_names_of_events_go_over_where_handlers_alone_compare_with_them() -> None:
    new = changed(
        f"from {B} import process_partial_response\n"
        f"from {D}.dynamo_db_stream_event import DynamoDBRecordEventName as N, DynamoDBStreamEvent\n"
        "def handle(record):\n    return record.event_name == N.REMOVE\nprocess_partial_response({}, handle, None)\n"
    )
    assert "from batchcore_dynamodb import DynamoDBRecordEventName as N\n" in new


def test_the_line_where_a_record_is_used_elsewhere_is_named() -> None:
    found = studied(
        f"from {B} import EventType\nfrom {D}.sqs_event import SQSEvent, SQSRecord\n\n\ndef last(e: SQSEvent) -> SQSRecord: ...\n"
    )
    assert [(line, "line 5" in text) for line, text in found.notes] == [(2, True)]


@pytest.mark.parametrize(
    ("rest", "goes"),
    [
        ("class Own(SqsRecordModel):\n    body: int\n", True),
        ("p = BatchProcessor(event_type=EventType.SQS, model=SqsRecordModel)\n", True),
        (f"from {P} import BaseModel, Field\nclass Own(SqsRecordModel): ...\n", True),
        (f"from {P} import parse\nclass Own(SqsRecordModel): ...\n", False),
        (f"from {P}.envelopes import SqsEnvelope\nclass Own(SqsRecordModel): ...\n", False),
        ("x = SqsRecordModel.model_validate({})\n", False),
        ("", False),
    ],
)
def test_models_go_over_where_they_are_models_of_records_alone(rest: str, goes: bool) -> None:
    new = changed(f"from {B} import BatchProcessor, EventType\nfrom {P}.models import SqsModel, SqsRecordModel\n{rest}")
    assert ("from batchcore_sqs.models import SqsRecordModel" in new) is goes
    assert f"from {P}.models import SqsModel" in new


# What is changed, and looked at.


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        (
            f"from {B} import batch_processor\n@batch_processor(record_handler=h, processor=p)\ndef f(): ...\n",
            2,
            "deprecated",
        ),
        (f"{PLAIN}print(processor.exceptions)\n", 3, "no tracebacks"),
        (
            f"{PLAIN}from {D}.sqs_event import SQSRecord\nx = isinstance(1, (int, SQSRecord))\n",
            4,
            "no record from elsewhere",
        ),
        (f"from {B} import EventType\nx = EventType.Kafka\n", 2, "stops its partition"),
        (
            f"{PLAIN}class Own(BatchProcessor):\n    def failure_handler(self, record, exception):\n        return ()\n",
            4,
            "changes no outcome",
        ),
    ],
)
def test_what_should_be_looked_at_is_said(source: str, line: int, words: str) -> None:
    found = studied(source)
    assert found.rewrite is not None
    assert [(each.line, words in each.text) for each in found.notes] == [(line, True)]


def test_an_override_that_calls_the_one_it_overrides_needs_no_look() -> None:
    body = "        return super().failure_handler(record, exception)\n"
    found = studied(f"{PLAIN}class Own(BatchProcessor):\n    def failure_handler(self, record, exception):\n{body}")
    assert found.notes == []


# How import lines are changed.

ROWS = {
    "one module": (
        f"from {B} import EventType as E, BatchProcessor\n",
        "from batchcore import EventType as E, BatchProcessor\n",
    ),
    "two modules": (
        f"from {B} import SqsFifoPartialProcessor, EventType  # fifo\n",
        "from batchcore_sqs import SqsFifoPartialProcessor  # fifo\nfrom batchcore import EventType\n",
    ),
    "a comment for tools stands on both": (
        f"from {B} import SqsFifoPartialProcessor, EventType  # noqa: F401\n",
        "from batchcore_sqs import SqsFifoPartialProcessor  # noqa: F401\nfrom batchcore import EventType  # noqa: F401\n",
    ),
    "brackets over lines": (
        f"from {B} import (\n    EventType,\n    # of queues\n    SqsFifoPartialProcessor as S,  # fifo\n    BatchProcessor  # last\n)\n",
        "from batchcore import (\n    EventType,\n    # of queues\n    BatchProcessor,  # last\n)\n"
        "from batchcore_sqs import (\n    SqsFifoPartialProcessor as S,  # fifo\n)\n",
    ),
    "brackets in a line": (
        f"from {B} import (EventType, SqsFifoPartialProcessor)\n",
        "from batchcore import EventType\nfrom batchcore_sqs import SqsFifoPartialProcessor\n",
    ),
    "names of a line in brackets": (
        f"from {B} import (\n    EventType, SqsFifoPartialProcessor, BatchProcessor,\n    ExceptionInfo,\n)\n",
        "from batchcore import (\n    EventType, BatchProcessor,\n    ExceptionInfo,\n)\nfrom batchcore_sqs import SqsFifoPartialProcessor\n",
    ),
    "one of several in a line in brackets": (
        f"from {B} import (\n    EventType, BatchProcessor, SqsFifoPartialProcessor,\n)\n",
        "from batchcore import (\n    EventType, BatchProcessor,\n)\nfrom batchcore_sqs import SqsFifoPartialProcessor\n",
    ),
    "a module between semicolons": (
        "from aws_lambda_powertools.utilities import batch ;  y = batch.EventType.SQS;\n",
        "import batchcore as batch ;  y = batch.EventType.SQS;\n",
    ),
    "between semicolons": (
        f"import a ;from {B} import EventType, SqsFifoPartialProcessor ;  import b;\n",
        "import a ;from batchcore import EventType; from batchcore_sqs import SqsFifoPartialProcessor ;  import b;\n",
    ),
    "beside others": (
        f"from {D}.sqs_event import SQSEvent, SQSRecord\nfrom {B} import EventType\ndef failure_handler(r: SQSRecord): ...\n",
        f"from {D}.sqs_event import SQSEvent\nfrom batchcore_sqs import SQSRecord\nfrom batchcore import EventType\n"
        "def failure_handler(r: SQSRecord): ...\n",
    ),
    "lazily": (
        f"lazy from {B} import EventType, SqsFifoPartialProcessor\n",
        "lazy from batchcore import EventType\nlazy from batchcore_sqs import SqsFifoPartialProcessor\n",
    ),
    "a module": (
        f"import os, {B} as b\nx = b.EventType.SQS\n",
        "import os\nimport batchcore as b\nx = b.EventType.SQS\n",
    ),
    "a module of exceptions": (
        f"import {B}.exceptions as e\ntry: ...\nexcept e.BatchProcessingError: ...\n",
        "import batchcore as e\ntry: ...\nexcept e.BatchProcessingError: ...\n",
    ),
    "a renamed record": (
        f"from {B} import EventType\nfrom {D}.kafka_event import KafkaEventRecord as R\ndef f(r: R): ...\n",
        "from batchcore import EventType\nfrom batchcore_kafka import KafkaRecord as R\ndef f(r: R): ...\n",
    ),
    "in all places": (
        f"if TYPE_CHECKING:\n    from {B} import EventType\nelse: from {B} import EventType\nclass A:\n\tfrom {B} import EventType\n",
        "if TYPE_CHECKING:\n    from batchcore import EventType\nelse: from batchcore import EventType\nclass A:\n"
        "\tfrom batchcore import EventType\n",
    ),
    "in a try for something else": (
        f"try:\n    from {B} import EventType\nfinally:\n    pass\n",
        "try:\n    from batchcore import EventType\nfinally:\n    pass\n",
    ),
    "in a package": (
        f'"""Ours."""\nfrom {B} import BatchProcessor as BatchProcessor\n__all__ = ["BatchProcessor"]\n',
        '"""Ours."""\nfrom batchcore import BatchProcessor as BatchProcessor\n__all__ = ["BatchProcessor"]\n',
    ),
    "beside newer syntax": (
        f"from {B} import EventType\nx = t'{{1}}'\ntype A[T = int] = list[T]\ntry: ...\nexcept A, B: ...\n",
        "from batchcore import EventType\nx = t'{1}'\ntype A[T = int] = list[T]\ntry: ...\nexcept A, B: ...\n",
    ),
}


@pytest.mark.parametrize("what", ROWS)
def test_an_import_is_changed_where_it_stands(what: str) -> None:
    old, new = ROWS[what]
    assert changed(old) == new
    assert studied(new).rewrite is None


@pytest.mark.parametrize(
    "source",
    [
        "from .batch import EventType\n",
        "from ..aws_lambda_powertools.utilities.batch import EventType\n",
        "from aws_lambda_powertools import Logger\nfrom aws_lambda_powertools.utilities.batches import EventType\n",
        f"from {D}.sqs_event import SQSEvent, SQSRecord\ndef f(r: SQSRecord): ...\n",
        f"from {P}.models import SqsRecordModel\nclass A(SqsRecordModel): ...\n",
        f'"""Once it said: from {B} import EventType"""\n# from {B} import EventType\n',
    ],
)
def test_what_is_no_program_of_the_batch_utility_is_none_of_its_business(source: str) -> None:
    found = studied(source)
    assert (found.rewrite, found.left, found.notes, found.concerned) == (None, [], [], False)
