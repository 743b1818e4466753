"""Each test of this folder runs once per Python that is found. The summary, in the conftest above, says on which."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .function import LambdaFunction
from .interpreters import Environment, Interpreter, UnavailableError, environment_of, found_interpreters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    StartFunction = Callable[..., LambdaFunction]

INTERPRETERS = found_interpreters()
FUNCTIONS = Path(__file__).parent / "functions"
PROPERTY = "lambda_runtime"


@pytest.fixture(scope="session")
def environments() -> Iterator[Mapping[Interpreter, Future[Environment]]]:
    """Make the environments of all Pythons, two at a time, while tests already run on the first."""
    with ThreadPoolExecutor(2) as pool:
        yield {interpreter: pool.submit(environment_of, interpreter) for interpreter in INTERPRETERS}


@pytest.fixture(scope="session", params=INTERPRETERS, ids=lambda interpreter: f"python{interpreter.version}")
def interpreter(request: pytest.FixtureRequest) -> Interpreter:
    """One Python after the other."""
    chosen: Interpreter = request.param
    return chosen


@pytest.fixture
def environment(
    interpreter: Interpreter,
    environments: Mapping[Interpreter, Future[Environment]],
    record_property: Callable[[str, object], None],
) -> Environment:
    """The environment of this Python. Without AWS's client the running Python fails and another one is skipped."""
    try:
        found = environments[interpreter].result()
    except UnavailableError as reason:
        record_property(PROPERTY, f"Python {interpreter.version}: NOT RUN, {reason}")
        pytest.skip(str(reason))
    which = "the running one" if interpreter.running else interpreter.executable
    record_property(PROPERTY, f"Python {interpreter.version}: awslambdaric {found.client} ({which})")
    return found


@pytest.fixture
def start(environment: Environment) -> Iterator[StartFunction]:
    """Start functions, and end them after the test."""
    started: list[LambdaFunction] = []

    def start(handler: str, folder: Path = FUNCTIONS, **variables: str) -> LambdaFunction:
        function = LambdaFunction(handler, folder, environment.python, variables, environment.variables)
        started.append(function)
        return function

    yield start
    for function in started:
        function.close()
