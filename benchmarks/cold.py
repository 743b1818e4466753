"""Cold start in AWS's own runtime client: from the start of the process to the response to its first event.

The response and not only the import: what a library puts off until the first batch is paid for then.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks import deployment
from benchmarks.events import sqs_event
from benchmarks.figures import Budget, Figure
from tests.runtime.function import LambdaFunction

FUNCTIONS = Path(__file__).parent / "functions"
EMPTY, POWERTOOLS = "empty", "powertools"
RECORDS = 10


class Case(NamedTuple):
    """One function that uses this project.

    Attributes:
        module: its module.
        name: as in the table.
        budget: its limits.
    """

    module: str
    name: str
    budget: Budget


LOADED = Budget(must=14, aim=12)
CASES = (
    Case("ours", "cold start over an empty function", Budget(must=0.06, aim=0.045)),
    Case("ours_with_extension", "the same with one extension", Budget(must=0.20, aim=0.15)),
    Case("ours_with_observer", "the same with one observer", Budget(must=0.20, aim=0.15)),
    Case("ours_by_name", "the same with no source imported (entry points read)", Budget(must=0.45, aim=0.35)),
)


class Start(NamedTuple):
    """How long a function took to start.

    Attributes:
        loaded: seconds from the start of the process until the runtime client asked for the first event.
        answered: seconds until the first event was answered.
    """

    loaded: float
    answered: float


def measure(rounds: int) -> list[Figure]:
    """Start every function in turns, and compare the best starts.

    Args:
        rounds: starts per function, besides a first one that may write byte code.
    """
    modules = [EMPTY, POWERTOOLS, *(case.module for case in CASES)]
    best: dict[str, Start] = {module: Start(float("inf"), float("inf")) for module in modules}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        distributions = deployment.link_into(folder)
        for module in modules:
            _start(module, folder)
        for _ in range(rounds):
            for module in modules:
                best[module] = Start(*map(min, best[module], _start(module, folder)))
            modules.append(modules.pop(0))  # who comes first changes
        loaded = _modules_of_ours(folder)
    return [
        *(_figure(case, best, distributions) for case in CASES),
        Figure("modules of ours loaded for a first plain batch of SQS", len(loaded), LOADED, unit=""),
    ]


def _modules_of_ours(packages: Path) -> list[str]:
    """Name the modules of this project that a process has loaded when the plain function has answered in it."""
    program = (
        "import json, sys\n"
        "from ours import lambda_handler\n"
        "lambda_handler(json.load(sys.stdin), None)\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('batchcore')]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        input=json.dumps(sqs_event(RECORDS)),
        capture_output=True,
        check=True,
        text=True,
        env={"PYTHONPATH": os.pathsep.join((str(FUNCTIONS), str(packages)))},
    )
    names: list[str] = json.loads(done.stdout)
    return names


def _start(module: str, packages: Path) -> Start:
    event = sqs_event(RECORDS)
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BATCHCORE_"))}
    function = LambdaFunction(
        f"{module}.lambda_handler",
        FUNCTIONS,
        sys.executable,
        base_environment=variables | {"PYTHONPATH": str(packages)},
        options=["-S"],  # this environment's own packages are not those of a function
    )
    with function:
        loaded = function.ready()
        response = function.response(event)
        if response.payload != {"batchItemFailures": []}:
            raise AssertionError(f"{module} did not answer as it should: {response}\n{function.output}")
        return Start(loaded - function.started_at, response.at - function.started_at)


def _figure(case: Case, best: dict[str, Start], distributions: int) -> Figure:
    def ratio(part: str) -> float:
        empty, theirs, ours = (getattr(best[module], part) for module in (EMPTY, POWERTOOLS, case.module))
        return float((ours - empty) / (theirs - empty))

    over = {module: (best[module].answered - best[EMPTY].answered) * 1000 for module in (case.module, POWERTOOLS)}
    return Figure(
        case.name,
        ratio("answered"),
        case.budget,
        detail=f"{over[case.module]:.1f} ms against {over[POWERTOOLS]:.1f} ms; import alone {ratio('loaded'):.2f} x; "
        f"{distributions} distributions",
    )
