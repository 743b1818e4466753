"""The templates: one command makes a package that installs, works, and is clean to linter, formatter and type checker.

Each package is installed with its extra for tests into a stranger's environment: from built wheels alone, with nothing
of the source tree in reach.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from copier import run_copy

from batchcore import entry_points
from batchcore_pipes import PipesDynamoDB, PipesKafka, PipesKinesis, PipesMQ, PipesSQS

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = ROOT / "templates"
MODULES = {"source": ("__init__.py", "events.py", "py.typed"), "observer": ("__init__.py", "py.typed")}
TESTS = {"source": ("test_batches.py", "test_contract.py"), "observer": ("test_observer.py",)}
BESIDE = {".gitignore", "README.md", "pyproject.toml"}
LONGEST_NAME = "acme-" + "-".join(["orders"] * 5) + "2"
CASES = [
    ("source", "batchcore-orders", {}),
    ("source", "Acme Order_Log", {"event_source": "aws:docdb"}),
    (
        "source",
        "checkout",
        {
            "distribution": LONGEST_NAME,
            "source_name": "orders-2-b",
            "event_source": "acme.com:orders_v1",
            "description": "Records of acme's caf\u00e9: {braces}, 100% of <them> & 'the rest' #1".ljust(100, "!"),
        },
    ),
    ("observer", "batchcore-failures", {}),
    ("observer", "checkout", {"distribution": LONGEST_NAME, "plugin_name": "none", "description": "W" * 100}),
]
SOURCES = sorted(
    name
    for name, (entry, *_) in entry_points.registered("batchcore.sources").by_name.items()
    if (entry_points.field_of(entry.dist, "name") or "").startswith("batchcore-")
)
EVENT_SOURCES = [said for pipe in (PipesSQS, PipesKinesis, PipesDynamoDB, PipesKafka, PipesMQ) for said in pipe.views]
each_case = pytest.mark.parametrize(("template", "folder", "answers"), CASES)


@pytest.fixture
def generate(tmp_path: Path) -> Callable[..., Path]:
    """A function that makes a package in a folder, with answers in the place of somebody who is asked."""

    def make(template: str, folder: str, answers: Mapping[str, str]) -> Path:
        run_copy(str(TEMPLATES / template), tmp_path / folder, answers, defaults=True, quiet=True)
        return tmp_path / folder

    return make


@pytest.fixture(scope="module")
def environment(new_environment: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A stranger's environment, into which one package after the other is installed."""
    return new_environment(tmp_path_factory.mktemp("environment"))


def installed_name(folder: Path) -> str:
    """Give the name of the distribution that a folder makes."""
    return re.findall(r'^name = "(.+)"$', (folder / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)[0]


@each_case
def test_a_package_is_installed_and_its_own_tests_pass(
    generate: Callable[..., Path], environment: Any, template: str, folder: str, answers: Mapping[str, str]
) -> None:
    package = generate(template, folder, answers)
    environment.install(f"{package}[test]")

    printed = environment.run(environment.python, "-m", "pytest", "-p", "no:cacheprovider", "tests", cwd=package)

    assert re.search(r"\d passed in", printed)
    # The core that was tested is that of the wheel.
    place = environment.run(environment.python, "-c", "import batchcore; print(batchcore.__file__)", cwd=package)
    assert Path(place.strip()).is_relative_to(environment.python.parents[1])


@each_case
def test_a_package_is_clean_to_the_tools_that_it_configures(
    generate: Callable[..., Path], environment: Any, template: str, folder: str, answers: Mapping[str, str]
) -> None:
    package = generate(template, folder, answers)
    environment.install("batchcore-testing", "batchcore-sqs")

    for command in (
        ("ruff", "check", "--no-cache"),
        ("ruff", "format", "--check", "--no-cache"),
        ("mypy", f"--python-executable={environment.python}", f"--cache-dir={environment.python.parent}"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], check=False, capture_output=True, text=True, cwd=package
        )
        assert done.returncode == 0, done.stdout + done.stderr


@each_case
def test_files_are_named_after_the_answers_and_nothing_of_the_template_is_left(
    generate: Callable[..., Path], template: str, folder: str, answers: Mapping[str, str]
) -> None:
    package = generate(template, folder, answers)

    module = installed_name(package).replace("-", "_")
    files = {path.relative_to(package).as_posix(): path for path in package.rglob("*") if path.is_file()}
    assert files.keys() == {
        *BESIDE,
        *(f"{module}/{name}" for name in MODULES[template]),
        *(f"tests/{name}" for name in TESTS[template]),
    }
    assert [
        name for name, path in files.items() if re.search(r"\{\{|\{%|\{#|copier|jinja", path.read_text("utf-8"))
    ] == []


@pytest.mark.parametrize(
    ("folder", "distribution", "name"),
    [
        ("batchcore-orders", "batchcore-orders", "orders"),
        ("Acme Order_Log", "acme-order-log", "acme-order-log"),
        ("acme-3-kafkas", "acme-3-kafkas", "acme-3-kafkas"),
    ],
)
@pytest.mark.parametrize("template", MODULES)
def test_names_follow_from_the_folder(
    generate: Callable[..., Path], template: str, folder: str, distribution: str, name: str
) -> None:
    package = generate(template, folder, {})

    assert installed_name(package) == distribution
    (group, line) = re.findall(
        r'^\[project.entry-points."(.+)"\]\n(.+)$', (package / "pyproject.toml").read_text("utf-8"), re.MULTILINE
    )[0]
    assert group == {"source": "batchcore.sources", "observer": "batchcore.plugins"}[template]
    assert line.startswith(f'{name} = "{distribution.replace("-", "_")}:')


@pytest.mark.parametrize(
    ("template", "answers", "complaint"),
    [
        *(
            (template, {"distribution": wrong}, "A distribution is named like")
            for template in MODULES
            for wrong in ("kafka", "Acme-Kafka", "acme_kafka", "acme-", "1-kafka", "a--b", "a-b\n", "a b-c", "a-b.c")
        ),
        *((template, {"distribution": "x-" + "y" * 40}, "A distribution is named like") for template in MODULES),
        *(
            (template, {"distribution": f"batchcore-{path.parent.name}"}, "There is a distribution")
            for template in MODULES
            for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))
        ),
        *(("source", {"source_name": name}, "There is a source of this name") for name in SOURCES),
        *(
            ("source", {"source_name": wrong}, "A source is named like")
            for wrong in ("", "Kafka", 'k"', "a_b", "-a", "a-")
        ),
        *(("observer", {"plugin_name": wrong}, "A plugin is named like") for wrong in ("", "Kafka", "a,b", "a.b")),
        *(("source", {"event_source": name}, "There is a source for these records") for name in EVENT_SOURCES),
        *(("source", {"event_source": wrong}, "An eventSource is like") for wrong in ("", 'a"b', "a b", ":a", "a\\")),
        *(
            (template, {"description": wrong}, "A description is one line")
            for template in MODULES
            for wrong in ("", 'a "quoted" word', "two\nlines", "back\\slash", "It ends with one.", "x" * 101)
        ),
    ],
)
def test_a_bad_answer_is_refused_and_says_what_a_good_one_is(
    generate: Callable[..., Path], tmp_path: Path, template: str, answers: Mapping[str, str], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        generate(template, "batchcore-lines", answers)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("template", MODULES)
def test_one_command_makes_a_package(template: str, tmp_path: Path) -> None:
    done = copier("copy", "--defaults", TEMPLATES / template, tmp_path / "batchcore-lines")

    assert done.returncode == 0, done.stderr
    assert "batchcore-lines is ready" in done.stderr
    assert installed_name(tmp_path / "batchcore-lines") == "batchcore-lines"


def test_the_command_says_what_is_wrong_with_an_answer(tmp_path: Path) -> None:
    done = copier("copy", "--defaults", "--data=distribution=Lines", TEMPLATES / "source", tmp_path / "lines")

    assert done.returncode != 0
    assert "A distribution is named like acme-kafka or batchcore-orders" in done.stderr


def copier(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "copier", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")


READ = """
import contextlib, io, json, re
from batchcore_testing import make_event
page = open("README.md", encoding="utf-8").read()
program, shown = (re.findall(f"```{language}\\n(.+?)```", page, re.DOTALL)[0] for language in ("python", "json"))
exec(program)
"""
OF_SOURCE = """
event = json.loads(shown)
assert make_event("shown", '{"order": 17}', sent={"key": "customer-1"}) == event
assert lambda_handler(event, None) == {"batchItemFailures": []}
"""
OF_OBSERVER = """
lines = [json.loads(line) for line in shown.splitlines()]
event = make_event("sqs", "{}", "no JSON", "{}")
event["Records"][1]["messageId"] = lines[0]["record"]
with contextlib.redirect_stdout(io.StringIO()) as printed:
    processor.run(event, lambda record: record.json_body)
assert [json.loads(line) for line in printed.getvalue().splitlines()] == lines
"""


@pytest.mark.parametrize(("template", "check"), [("source", OF_SOURCE), ("observer", OF_OBSERVER)], ids=MODULES)
def test_what_the_readme_shows_is_so(
    generate: Callable[..., Path], environment: Any, template: str, check: str
) -> None:
    package = generate(template, "batchcore-shown", {})
    environment.install(f"{package}[test]")

    environment.run(environment.python, "-c", READ + check, cwd=package)
