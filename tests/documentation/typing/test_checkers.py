"""The files beside this one, the examples and the typed programs of the docs are checked as their users check them.

That is: by mypy and by pyright, both strict, with the packages as they are installed, and with nothing of the
configuration of this repository. In ``refused``, both find an error on each line that ends in ``# refused``, and on no
other. In ``accepted`` they find none. Programs get such a line each, at their end, so that one that nobody looks at is
found out.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))
IMPORTED_FROM = ("examples/testing", "examples/write_a_source")
"""Folders from which an example imports another file."""
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "# refused"
WRONG = f'\n\na_number: int = "text"  {MARK}\n'


class Line(NamedTuple):
    """A line of a file."""

    file: str
    number: int


Found = dict[Line, str]
Check = Callable[[Path], Found]


@cache
def mypy(folder: Path) -> Found:
    """Return the errors that mypy finds in a folder."""
    command = ["mypy", "--strict", "--config-file=", "--python-version=3.10", "--explicit-package-bases"]
    path = os.pathsep.join(str(folder / name) for name in IMPORTED_FROM)
    errors = map(json.loads, output(folder, *command, "--output=json", ".", MYPYPATH=path).splitlines())
    return {
        Line(Path(error["file"]).as_posix(), error["line"]): f"{error['code']}: {error['message']}"
        for error in errors
        if error["severity"] == "error"
    }


@cache
def pyright(folder: Path) -> Found:
    """Return the errors that pyright finds in a folder."""
    strict = {"typeCheckingMode": "strict", "pythonVersion": "3.10", "extraPaths": IMPORTED_FROM}
    (folder / "pyrightconfig.json").write_text(json.dumps(strict), encoding="utf-8")
    report = json.loads(output(folder, "pyright", "--outputjson", "--pythonpath", sys.executable))
    return {
        Line(
            Path(error["file"]).resolve().relative_to(folder).as_posix(), error["range"]["start"]["line"] + 1
        ): f"{error.get('rule')}: {error['message']}"
        for error in report["generalDiagnostics"]
        if error["severity"] == "error"
    }


def output(folder: Path, checker: str, *options: str, **variables: str) -> str:
    """Run a checker in a folder. Its exit code is 1 when it found errors."""
    command = [sys.executable, "-m", checker, *options]
    environment = {**os.environ, **variables}
    result = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, env=environment)
    assert result.returncode in (0, 1), result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that is checked, out of reach of the repository's configuration."""
    copied = tmp_path_factory.mktemp("checked").resolve()
    for kind in ("accepted", "refused"):
        shutil.copytree(HERE / kind, copied / kind, ignore=shutil.ignore_patterns("__pycache__"))
    for path in EXAMPLES:
        write(copied / path.relative_to(ROOT), path.read_text(encoding="utf-8") + WRONG)
    for name, text in typed_programs().items():
        write(copied / "docs" / f"{name}.py", text + WRONG)
    return copied


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def typed_programs() -> dict[str, str]:
    """Return the programs of the docs that say what their Lambda function returns: each stands for itself."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    blocks = ((page, block) for page in pages for block in BLOCK.findall(page.read_text(encoding="utf-8")))
    return {
        f"{page.stem.lower()}_{number}": block
        for number, (page, block) in enumerate(blocks)
        if ") -> PartialItemFailureResponse:" in block
    }


def marked_lines(folder: Path) -> set[Line]:
    """Return the lines that must be refused."""
    return {
        Line(path.relative_to(folder).as_posix(), number)
        for path in folder.rglob("*.py")
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if text.endswith(MARK)
    }


def of(kind: str, lines: set[Line]) -> set[Line]:
    return {line for line in lines if line.file.startswith(f"{kind}/")}


each_checker = pytest.mark.parametrize("check", [mypy, pyright])


@each_checker
@pytest.mark.parametrize("kind", ["accepted", "refused", "examples", "docs"])
def test_what_is_right_is_accepted(check: Check, kind: str, folder: Path) -> None:
    wrong = check(folder).keys() - marked_lines(folder)

    assert {line: check(folder)[line] for line in of(kind, wrong)} == {}


@each_checker
@pytest.mark.parametrize("kind", ["refused", "examples", "docs"])
def test_what_is_wrong_is_refused(check: Check, kind: str, folder: Path) -> None:
    marked = of(kind, marked_lines(folder))

    assert marked, "no file was found"
    assert marked - check(folder).keys() == set()


def test_each_example_has_a_line_that_must_be_refused(folder: Path) -> None:
    files = [line.file for line in of("examples", marked_lines(folder))]

    assert sorted(files) == [path.relative_to(ROOT).as_posix() for path in EXAMPLES]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.relative_to(ROOT / "examples").as_posix())
def test_the_lambda_function_of_an_example_says_what_it_takes_and_returns(path: Path) -> None:
    """That it is annotated somehow, the checkers say; ``Any`` would do for them."""
    functions = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    said = [ast.unparse(ast.Tuple([*_annotations(node)])) for node in functions if node.name == "lambda_handler"]

    event = "list[dict[str, Any]]" if path.parent.name == "pipes" else "dict[str, Any]"
    responses = ("PartialItemFailureResponse", "FirehoseResponse", "S3BatchResponse")
    assert set(said) <= {f"({event}, LambdaContext, {response})" for response in responses}


def _annotations(function: ast.FunctionDef) -> list[ast.expr]:
    return [node for node in (*(each.annotation for each in function.args.args), function.returns) if node is not None]
