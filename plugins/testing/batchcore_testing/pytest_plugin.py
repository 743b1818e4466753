"""The pytest plugin: fixtures with events, a Lambda context and the simulator; differences of responses in words.

pytest loads it where batchcore-testing is installed. It acts only in tests that ask for a fixture of its, compare
responses, or derive from ``SourceContract``.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from batchcore_testing.clock import SimulatedContext
    from batchcore_testing.simulator import Simulator

_SIMULATOR = pytest.StashKey["Simulator"]()
_CONTRACT = "batchcore_testing.contract"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the seed."""
    parser.getgroup("batchcore").addoption(
        "--batchcore-seed", type=int, default=0, metavar="N", help="seed of the fixture simulator (default: 0)"
    )


@pytest.fixture
def make_event() -> Callable[..., Any]:
    """The function :func:`batchcore_testing.make_event`: an event of an installed source."""
    from batchcore_testing.events import make_event

    return make_event


@pytest.fixture
def make_record() -> Callable[..., Any]:
    """The function :func:`batchcore_testing.make_record`: a raw record of an installed source."""
    from batchcore_testing.events import make_record

    return make_record


@pytest.fixture
def lambda_context() -> SimulatedContext:
    """A Lambda context with 30 s, which pass when ``lambda_context.advance(seconds)`` says so."""
    from batchcore_testing.clock import SimulatedContext

    return SimulatedContext()


@pytest.fixture
def simulator(request: pytest.FixtureRequest) -> Simulator:
    """Sources in memory, and event source mappings of them, that share a clock and the seed of ``--batchcore-seed``."""
    from batchcore_testing.simulator import Simulator

    seed: Any = request.config.getoption("--batchcore-seed")
    made = request.node.stash[_SIMULATOR] = Simulator(seed)
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell of a failed test what was simulated; and let no test of a contract be skipped."""
    report = yield
    broken = sys.modules.get(f"{_CONTRACT}.rules")
    if broken is not None and call.excinfo is not None and isinstance(call.excinfo.value, broken.ContractBroken):
        report.longrepr = _told(call.excinfo.value)
    simulator = item.stash.get(_SIMULATOR, None)
    if report.failed and simulator is not None:
        lines = [f"seed {simulator.seed}: the same history comes with --batchcore-seed={simulator.seed}"]
        lines += [repr(mapping.history) for mapping in simulator.mappings]
        report.sections.append(("batchcore simulator", "\n".join(lines)))
    if report.skipped and not hasattr(report, "wasxfail") and _is_of_contract(item) and not _lacks_pydantic(call):
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid} was skipped. A test of a source's contract is opted out of by an override with "
            '@pytest.mark.xfail(reason="...") alone.'
        )
    return report


def pytest_assertrepr_compare(op: str, left: Any, right: Any) -> list[str] | None:
    """Return of two responses, or of two lists of records, which records differ."""
    if op != "==":
        return None
    if _is_response(left) and _is_response(right):
        return _difference("the responses differ", "named as failed", _named(left), _named(right))
    if _are_records(left) and _are_records(right) and (left or right):
        return _difference("the records differ", "there", _names(left), _names(right))
    return None


def _told(error: BaseException) -> str:
    """Tell which rule a source breaks; and where, if an exception of its own did: not how the suite has seen it."""
    if error.__cause__ is None:
        return str(error)
    return f"{''.join(traceback.format_exception(error.__cause__))}\n{error}"


def _is_of_contract(item: pytest.Item) -> bool:
    contract = sys.modules.get(_CONTRACT)
    kind = getattr(item, "cls", None)
    return contract is not None and isinstance(kind, type) and issubclass(kind, contract.SourceContract)


def _lacks_pydantic(call: pytest.CallInfo[None]) -> bool:
    from batchcore_testing.contract.opting_out import NO_PYDANTIC

    return call.excinfo is not None and getattr(call.excinfo.value, "msg", None) == NO_PYDANTIC


def _difference(what: str, how: str, left: list[str], right: list[str]) -> list[str] | None:
    if left == right:
        return None  # they differ in something else, which pytest shows
    lines = [what]
    lines += [f"  {how} on the left only: {name}" for name in left if name not in right]
    lines += [f"  {how} on the right only: {name}" for name in right if name not in left]
    if len(lines) == 1:
        lines.append(f"  in their order or number: {', '.join(left)} and {', '.join(right)}")
    both = [name for name in left if name in right]
    return [*lines, f"  in both: {', '.join(both) or 'none'}"]


def _is_response(value: Any) -> bool:
    from batchcore_testing.services import at

    return isinstance(value, Mapping) and isinstance(at(value, "batchItemFailures"), list)


def _named(response: Any) -> list[str]:
    return [_text(entry.get("itemIdentifier", entry)) for entry in response["batchItemFailures"]]


def _are_records(value: Any) -> bool:
    records: Any = value
    return isinstance(value, list) and all(map(_is_record, records))


def _is_record(value: Any) -> bool:
    return isinstance(value, Mapping) and any(name in value for name in ("eventSource", "offset"))


def _names(records: list[Any]) -> list[str]:
    from batchcore_testing.services import KAFKA, service_of_event

    names: list[str] = []
    for record in records:
        service = service_of_event({"Records": [record]}) or KAFKA
        names.append(_text(service.identifier(record)))
    return names


def _text(identifier: Any) -> str:
    return identifier if isinstance(identifier, str) else json.dumps(identifier, sort_keys=True, default=repr)
