"""Programs as people write them: each is changed as its diff says, and then does what it did.

``programs/NAME.py`` is written for Powertools, ``programs/NAME.diff`` is what ``batchcore migrate`` makes of it.
"""

from __future__ import annotations

import copy
import inspect
import itertools
import re
import sys
import textwrap
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_lambda_powertools.utilities.batch as theirs
import pytest
from aws_lambda_powertools.utilities.batch import base, decorators, sqs_fifo_partial_processor

from batchcore_local.migrate.driver import difference, parse
from batchcore_local.migrate.powertools import study
from batchcore_testing import make_event

PROGRAMS = Path(__file__).parent / "programs"
NAMES = sorted(path.stem for path in PROGRAMS.glob("*.py"))
POWERTOOLS_BATCH = re.compile(r"^\s*(import|from) aws_lambda_powertools\.utilities\.batch", re.MULTILINE)

GOOD, LARGE, BAD = '{"quantity": 1}', '{"quantity": 11}', "no JSON"


def sqs(*bodies: str, queue: str = "orders", groups: int = 0) -> dict[str, Any]:
    event: dict[str, Any] = make_event(
        "sqs", *bodies, lanes=groups, eventSourceARN=f"arn:aws:sqs:eu-west-1:123456789012:{queue}"
    )
    return event


def dynamodb(*events: str) -> dict[str, Any]:
    event: dict[str, Any] = make_event("dynamodb", *({"Id": f"key-{name}", "n": 1} for name in events))
    for record, name in zip(event["Records"], events, strict=True):
        record["eventName"] = name
        record["dynamodb"]["Keys"] = {"Id": {"S": "one"}}
    return event


ORDERS = [sqs(GOOD, LARGE, BAD, GOOD), sqs(GOOD), sqs(BAD, LARGE)]
NUMBERS = [sqs("1", "x", "3"), sqs("5", "6"), sqs("0", "4")]
EVENTS: dict[str, list[dict[str, Any]]] = {
    "changes": [dynamodb("INSERT", "REMOVE"), dynamodb("REMOVE", "INSERT", "MODIFY")],
    "clicks": [make_event("kinesis", {"page": "a"}, "none", {"page": "b"}), make_event("kinesis", {"page": "c"})],
    "concurrent": NUMBERS,
    "counted": NUMBERS,
    "decorated": NUMBERS,
    "idempotent": [*NUMBERS, *NUMBERS],
    "late": [sqs("1", "stop", "2"), sqs("1")],
    "orders": ORDERS,
    "payments": [
        sqs("a", "refused", "b", "c", "d", queue="payments.fifo", groups=2),
        sqs("a", "refused"),
        sqs("refused", "b", queue="payments.fifo", groups=1),
    ],
    "prices": [make_event("kafka", "1.5", "2", "none"), make_event("kafka", "3")],
    "scratch": NUMBERS,
    "typed_orders": [sqs(GOOD, LARGE, BAD), sqs(GOOD)],
}
SHOWN = {
    "changes": "index",
    "clicks": "seen",
    "counted": "counts",
    "idempotent": "shipped",
    "payments": "paid",
    "prices": "prices",
    "scratch": "written",
    "typed_orders": "shipped",
}
"""What of a program tells what it did."""


@dataclass
class Context:
    function_name: str = "orders"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
    aws_request_id: str = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        return 4321


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


services = itertools.count()


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], types.ModuleType]]:
    loaded: list[str] = []

    def loader(source: str) -> types.ModuleType:
        if re.search(r"pydantic|utilities\.parser", source):
            pytest.importorskip("pydantic")
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"migrated{next(services)}")
        module = types.ModuleType(f"migrated_{next(services)}")
        sys.modules[module.__name__] = module
        loaded.append(module.__name__)
        exec(compile(source, module.__name__, "exec", dont_inherit=True), vars(module))
        return module

    yield loader
    for name in loaded:
        del sys.modules[name]


def migrated(source: bytes) -> bytes:
    found = study(parse(source))
    assert found.left == []
    assert found.rewrite is not None
    new: bytes = found.rewrite().bytes
    return new


def invoke(module: types.ModuleType, event: dict[str, Any], shown: str) -> tuple[Any, str]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*batch_processor.* is deprecated")
        try:
            response = module.lambda_handler(copy.deepcopy(event), Context())
        except Exception as error:
            response = type(error).__name__
    return response, repr(getattr(module, shown, None))


def test_every_program_has_events_and_a_diff() -> None:
    assert sorted(EVENTS) == NAMES
    assert sorted(path.stem for path in PROGRAMS.glob("*.diff")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_program_is_changed_as_its_diff_says(name: str) -> None:
    old = (PROGRAMS / f"{name}.py").read_bytes()
    assert difference(f"{name}.py", old, migrated(old)) == (PROGRAMS / f"{name}.diff").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_program_does_what_it_did(name: str, load: Callable[[str], types.ModuleType]) -> None:
    source = (PROGRAMS / f"{name}.py").read_bytes()
    new = migrated(source).decode()
    assert not POWERTOOLS_BATCH.search(new)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*batch_processor.* is deprecated")
        before, after = load(source.decode()), load(new)
    shown = SHOWN.get(name, "processor")
    seen = [invoke(before, event, shown) for event in EVENTS[name]]
    if shown == "processor":
        assert [response for response, _ in seen] == [invoke(after, event, shown)[0] for event in EVENTS[name]]
    else:
        assert seen == [invoke(after, event, shown) for event in EVENTS[name]]
    assert any(response == {"batchItemFailures": []} for response, _ in seen) or name in ("payments", "changes")
    assert any(response != {"batchItemFailures": []} for response, _ in seen)


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_program_is_not_changed_again(name: str) -> None:
    new = migrated((PROGRAMS / f"{name}.py").read_bytes())
    found = study(parse(new))
    assert (found.rewrite, found.left, found.notes) == (None, [], [])


# The examples that Powertools' own package has in its docstrings, read from what is installed.

BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
DOCUMENTED = [
    textwrap.dedent(block)
    for module in (base, decorators, sqs_fifo_partial_processor)
    for _, thing in sorted(inspect.getmembers(module))
    if getattr(thing, "__module__", "") == module.__name__
    for block in BLOCK.findall(inspect.cleandoc(getattr(thing, "__doc__", None) or ""))
]


def made_by(source: str, load: Callable[[str], types.ModuleType]) -> tuple[str, str]:
    """Return the package and the class of a program's processor; of one that does not run (one does not), the error."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*batch_processor.* is deprecated")
        try:
            kind = type(load(source).processor)
        except NameError as error:
            return "", str(error)
    return kind.__module__.partition(".")[0].partition("_")[0], kind.__name__


def test_powertools_documents_its_batch_utility_by_examples() -> None:
    assert len(DOCUMENTED) >= 6


@pytest.mark.parametrize("source", DOCUMENTED, ids=lambda source: str(DOCUMENTED.index(source)))
def test_an_example_of_powertools_goes_over(source: str, load: Callable[[str], types.ModuleType]) -> None:
    new = migrated(source.encode()).decode()
    assert not POWERTOOLS_BATCH.search(new)
    assert "utilities.data_classes" not in new
    old_lines, new_lines = source.splitlines(), new.splitlines()
    assert [line for line in old_lines if "import" not in line] == [line for line in new_lines if "import" not in line]
    before, after = made_by(source, load), made_by(new, load)
    assert (before[0], after[0]) in (("aws", "batchcore"), ("", ""))
    assert before[1] == after[1]


def test_what_powertools_exports_is_known_or_is_listed_as_left() -> None:
    for name in theirs.__all__:
        found = study(parse(f"from aws_lambda_powertools.utilities.batch import {name}\n".encode()))
        assert (found.rewrite is None) == (name == "BatchTypeModels"), name
