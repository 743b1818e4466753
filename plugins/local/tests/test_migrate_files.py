"""Files in, files out: ``batchcore migrate`` as its command is run."""

# Programs stand in one line each.
# ruff: noqa: E501

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from batchcore_local import cli
from batchcore_local.migrate import driver
from batchcore_local.migrate.study import Study

B = b"aws_lambda_powertools.utilities.batch"
OLD = b"from " + B + b" import BatchProcessor, EventType\nprocessor = BatchProcessor(event_type=EventType.SQS)\n"
NEW = OLD.replace(B, b"batchcore")
STAR = b"from " + B + b" import *\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(name: str, content: bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def migrate(*arguments: str) -> int:
    return cli.main(["migrate", *arguments])


Output = pytest.CaptureFixture[bytes]


def output(capture: Output) -> tuple[str, list[str]]:
    out, err = capture.readouterr()
    return out.decode(), err.decode().splitlines()


# What it does with a folder.


def test_by_default_a_diff_is_shown_and_nothing_is_written(capfdbinary: Output) -> None:
    put("a/app.py", OLD)
    put("a/other.py", b"x = 1\n")
    assert migrate(".") == 0
    diff, said = output(capfdbinary)
    assert diff.splitlines()[:2] == ["--- a/a/app.py", "+++ b/a/app.py"]
    assert said[0] == "1 file would change, 0 left to you, 0 not read or written."
    assert Path("a/app.py").read_bytes() == OLD


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_what_is_shown_can_be_applied(capfdbinary: Output) -> None:
    files = {
        "plain.py": OLD,
        "sub/returns.py": OLD.replace(b"\n", b"\r\n"),
        "no_end.py": OLD[:-1],
        "latin.py": b"# -*- coding: latin-1 -*-\n" + OLD + b"x = '\xe9'\n",
    }
    for name, content in files.items():
        put(name, content)
    assert migrate(".") == 0
    diff = capfdbinary.readouterr().out
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "apply", "-"], check=True, input=diff)
    assert {name: Path(name).read_bytes() for name in files} == {
        name: content.replace(B, b"batchcore") for name, content in files.items()
    }


def test_with_write_files_are_written_and_no_diff_is_shown(capfdbinary: Output) -> None:
    path = put("app.py", OLD)
    path.chmod(0o750)
    assert migrate(".", "--write") == 0
    diff, said = output(capfdbinary)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (NEW, 0o750)
    assert (diff, said[0]) == ("", "1 file changed, 0 left to you, 0 not read or written.")
    assert [path.name for path in Path().iterdir()] == ["app.py"]


def test_a_second_run_finds_nothing(capfdbinary: Output) -> None:
    put("app.py", OLD)
    migrate(".", "--write")
    capfdbinary.readouterr()
    assert migrate(".", "--check") == 0
    assert output(capfdbinary) == ("", ["0 files would change, 0 left to you, 0 not read or written."])


@pytest.mark.parametrize(("content", "code"), [(OLD, 1), (STAR, 1), (NEW, 0), (b"x = 1\n", 0)])
def test_a_check_tells_by_its_exit_code_and_writes_nothing(content: bytes, code: int, capfdbinary: Output) -> None:
    path = put("app.py", content)
    assert migrate(".", "--check") == code
    assert path.read_bytes() == content
    assert capfdbinary.readouterr().out == b""


@pytest.mark.parametrize("option", ["--write", None])
def test_what_is_left_is_no_error_but_of_a_check(option: str | None, capfdbinary: Output) -> None:
    put("app.py", STAR)
    assert migrate(*filter(None, (".", option))) == 0
    _, said = output(capfdbinary)
    assert said[0].startswith("app.py:1: left: imports * from aws_lambda_powertools.utilities.batch.")


def test_a_file_may_be_named_instead_of_a_folder() -> None:
    put("app.py", OLD)
    put("other.py", OLD)
    assert migrate("app.py", "--write") == 0
    assert (Path("app.py").read_bytes(), Path("other.py").read_bytes()) == (NEW, OLD)


def test_what_is_no_code_of_the_project_is_not_looked_into() -> None:
    skipped = [".venv/a.py", "node_modules/a.py", "my env/lib/a.py", "a.txt", "__pycache__/a.py", "site-packages/a.py"]
    for name in skipped:
        put(name, OLD)
    put("my env/pyvenv.cfg", b"")
    put("elsewhere/real.txt", OLD)
    Path("link.py").symlink_to("elsewhere/real.txt")
    assert migrate(".", "--write") == 0
    assert {Path(name).read_bytes() for name in [*skipped, "link.py"]} == {OLD}
    assert Path("link.py").is_symlink()


def test_a_link_that_is_named_itself_stays_a_link() -> None:
    put("real.py", OLD)
    Path("link.py").symlink_to("real.py")
    assert migrate("link.py", "--write") == 0
    assert (Path("real.py").read_bytes(), Path("link.py").is_symlink()) == (NEW, True)


# What of the bytes stays.


@pytest.mark.parametrize(
    "around",
    [
        b"\xef\xbb\xbf%s",
        b"# -*- coding: latin-1 -*-\r\n%sx = '\xe9\xff'\r\n",
        b"#!/usr/bin/env python\n# coding: cp1252\n%sx = '\x80'\n",
        b"%sx = 1;\ty = 2  \n\n\x0c\n\\\n\nif x:\n\tz = '''\r\n \t'''",
        b"\n\n%s",
        "%sz = 'λ'  # 漢字\n".encode(),
        b"%slambda: (yield)\nx = t'{1!r:>{2}}'\ntype A[*T = int] = T\nlazy import os\n",
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_every_byte_stays_that_is_no_import_of_the_batch_utility(around: bytes, end: bytes) -> None:
    old = around % OLD.replace(b"\n", end)
    path = put("app.py", old)
    assert migrate(".", "--write") == 0
    assert path.read_bytes() == old.replace(B, b"batchcore")


def test_new_lines_end_as_those_of_the_program_do() -> None:
    path = put("app.py", b"from " + B + b" import EventType, SqsFifoPartialProcessor\r\nx = 1\r\n")
    migrate(".", "--write")
    assert path.read_bytes() == (
        b"from batchcore import EventType\r\nfrom batchcore_sqs import SqsFifoPartialProcessor\r\nx = 1\r\n"
    )


# What cannot be read or written.


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (OLD + b"def f(:\n", "bad.py:3: not read: it does not parse: "),
        (b"# coding: nonsense\n" + OLD, "bad.py:1: not read: its encoding: unknown encoding: nonsense"),
        (OLD + b"x = '\xff'\n", "bad.py:1: not read: its encoding: "),
        (OLD + b"x = \0\n", "bad.py:3: not read: it does not parse: "),
        (OLD + b"if x:\n\ty = 1\n        z = 2\n", "bad.py:5: not read: it does not parse: "),
    ],
)
@pytest.mark.parametrize("option", ["--write", "--check", None])
def test_what_does_not_parse_is_named_and_the_others_go_on(
    content: bytes, where: str, option: str | None, capfdbinary: Output
) -> None:
    bad, good = put("bad.py", content), put("good.py", OLD)
    assert migrate(*filter(None, (".", option))) == 1
    _, said = output(capfdbinary)
    assert [line for line in said if line.startswith(where)] == said[:1]
    assert "1 file" in said[1]
    assert said[1].endswith("0 left to you, 1 not read or written.")
    assert (bad.read_bytes(), good.read_bytes()) == (content, NEW if option == "--write" else OLD)


def test_what_does_not_parse_and_names_no_powertools_is_none_of_its_business() -> None:
    put("bad.py", b"def f(:\n")
    assert migrate(".", "--check") == 0


def test_a_program_that_would_not_be_written_back_as_it_was_is_not_touched(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: Output
) -> None:
    libcst = pytest.importorskip("libcst")
    monkeypatch.setattr(libcst.Module, "bytes", property(lambda module: b"other"))
    path = put("app.py", OLD)
    assert migrate(".", "--write") == 1
    assert path.read_bytes() == OLD
    assert "byte by byte" in capfdbinary.readouterr().err.decode()


def test_a_program_that_would_not_parse_any_more_is_not_written(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: Output
) -> None:
    from libcst import parse_module

    broken = parse_module("x = 1\n").with_changes(header=parse_module("# 1\n").header, encoding="ascii")
    monkeypatch.setattr(type(broken), "bytes", property(lambda module: b"def f(:" if module is broken else OLD))
    monkeypatch.setattr("batchcore_local.migrate.powertools.study", lambda module: Study(rewrite=lambda: broken))
    path = put("app.py", OLD)
    assert migrate(".", "--write") == 1
    assert path.read_bytes() == OLD


def test_a_file_that_cannot_be_written_stays_and_the_others_are_written(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: Output
) -> None:
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if target.name == "a.py":
            raise PermissionError(13, "Permission denied")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    put("a.py", OLD)
    put("b.py", OLD)
    assert migrate(".", "--write") == 1
    assert (Path("a.py").read_bytes(), Path("b.py").read_bytes()) == (OLD, NEW)
    assert sorted(path.name for path in Path().iterdir()) == ["a.py", "b.py"]
    assert "a.py: not written: Permission denied." in capfdbinary.readouterr().err.decode()


def test_a_file_that_cannot_be_opened_is_named(monkeypatch: pytest.MonkeyPatch, capfdbinary: Output) -> None:
    put("a.py", OLD)
    put("b.py", OLD)
    read = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self.name == "a.py":
            raise PermissionError(13, "Permission denied")
        return read(self)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        assert migrate(".", "--write") == 1
    assert (Path("a.py").read_bytes(), Path("b.py").read_bytes()) == (OLD, NEW)
    assert "a.py: not read: Permission denied." in capfdbinary.readouterr().err.decode()


# Wrong use.


def test_a_path_that_is_not_there_is_wrong_use(capfdbinary: Output) -> None:
    assert migrate("nowhere") == 2
    assert "There is no nowhere." in capfdbinary.readouterr().err.decode()


def test_without_libcst_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capfdbinary: Output) -> None:
    monkeypatch.setattr(driver, "find_spec", lambda name: None)
    assert migrate(".") == 2
    assert 'pip install "batchcore-local[migrate]"' in capfdbinary.readouterr().err.decode()


def test_the_command_line_needs_no_libcst() -> None:
    program = (
        "import sys; sys.modules['libcst'] = None; from batchcore_local.cli import main; main(['migrate', '--help'])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (result.returncode, "--write" in result.stdout) == (0, True)


def test_write_and_check_exclude_each_other() -> None:
    with pytest.raises(SystemExit) as ended:
        migrate(".", "--write", "--check")
    assert ended.value.code == 2


# Programs that belong together.

SHARED = (
    b"from " + B + b" import EventType, BatchTypeModels, BatchProcessor\nprocessor = BatchProcessor(EventType.SQS)\n"
)
CALLS = b" import processor\nfrom " + B + b" import process_partial_response\n"


@pytest.mark.parametrize(
    ("shared", "app", "statement"),
    [
        ("shared.py", "app.py", b"from shared"),
        ("shared.py", "app.py", b"import shared\nfrom shared"),
        ("pkg/shared.py", "pkg/app.py", b"from .shared"),
        ("pkg/shared.py", "pkg/sub/app.py", b"from ..shared"),
        ("pkg/shared/__init__.py", "app.py", b"from pkg.shared"),
        ("src/pkg/shared.py", "tests/app.py", b"from pkg.shared"),
        ("orders/shared.py", "orders/app.py", b"from shared"),
        ("orders/pkg/shared.py", "orders/app.py", b"from pkg import shared\nfrom shared"),
    ],
)
def test_a_program_is_left_with_what_it_imports(shared: str, app: str, statement: bytes, capfdbinary: Output) -> None:
    put(shared, SHARED)
    put(app, statement + CALLS)
    put("alone/app.py", OLD)
    assert migrate(".", "--write") == 0
    assert (Path(shared).read_bytes(), Path(app).read_bytes()) == (SHARED, statement + CALLS)
    assert Path("alone/app.py").read_bytes() == NEW
    _, said = output(capfdbinary)
    assert f"{app}: left: shares imports with {shared}, which is left. Change both together." in said


def test_a_program_is_left_with_who_imports_it() -> None:
    put("processors.py", OLD)
    put("app.py", b"from processors import processor\n" + STAR)
    put("test_app.py", b"from app import processor\nfrom " + B + b".exceptions import BatchProcessingError\n")
    migrate(".", "--write")
    assert b"powertools" in Path("processors.py").read_bytes()
    assert b"powertools" in Path("test_app.py").read_bytes()


def test_a_program_is_left_with_what_is_left_with_another() -> None:
    put("a.py", b"import b\n" + OLD)
    put("b.py", b"import c\n" + OLD)
    put("c.py", b"import d\n" + STAR)
    assert migrate(".", "--write") == 0
    assert [b"powertools" in Path(name).read_bytes() for name in ("a.py", "b.py")] == [True, True]


def test_files_of_one_name_in_two_folders_are_two() -> None:
    put("orders/shared.py", SHARED)
    put("shared.py", SHARED)
    put("payments/shared.py", OLD)
    put("payments/app.py", b"from shared" + CALLS)
    migrate(".", "--write")
    assert Path("payments/app.py").read_bytes() == b"from shared" + CALLS.replace(B, b"batchcore")


def test_a_program_that_has_nothing_of_the_batch_utility_ties_nobody() -> None:
    put("logs.py", b"from aws_lambda_powertools import Logger\n")
    put("left.py", b"import logs\n" + STAR)
    put("app.py", b"import logs\n" + OLD)
    migrate(".", "--write")
    assert Path("app.py").read_bytes() == b"import logs\n" + NEW


# What to install.


def test_what_to_install_and_what_stays_is_said(capfdbinary: Output) -> None:
    put("app/app.py", b"from aws_lambda_powertools import Logger\n" + OLD)
    put(
        "app/requirements.txt",
        b"boto3\naws_lambda_powertools[parser]==3.1  # logs\naws-lambda-powertools-more\n# aws-lambda-powertools\n",
    )
    put("pyproject.toml", b'dependencies = [\n  "aws-lambda-powertools",\n]\n')
    put(".git/HEAD", b"")
    assert migrate("app") == 0
    _, said = output(capfdbinary)
    assert said[1:] == [
        "Install batchcore, batchcore-sqs.",
        "aws-lambda-powertools stays: Logger (app/app.py:1).",
        "app/requirements.txt:2: add those packages.",
        "pyproject.toml:2: add those packages.",
    ]


def test_where_nothing_else_of_it_is_imported_it_is_said_to_go(capfdbinary: Output) -> None:
    put("app.py", OLD)
    put("requirements.txt", b"aws-lambda-powertools\n")
    migrate(".", "--write")
    _, said = output(capfdbinary)
    assert said[2:] == [
        "aws-lambda-powertools is imported no more, by what was read here.",
        "requirements.txt:1: put those packages in the place of aws-lambda-powertools.",
    ]
    assert Path("requirements.txt").read_bytes() == b"aws-lambda-powertools\n"


@pytest.mark.parametrize(
    ("source", "packages"),
    [
        (b"import EventType\nx = [EventType.SQS, EventType.Kafka]", "batchcore, batchcore-kafka, batchcore-sqs."),
        (b"import SqsFifoPartialProcessor", "batchcore, batchcore-sqs."),
        (b"import BatchProcessor", "batchcore, and the package of each source, such as batchcore-sqs."),
        (
            b"import EventType as E\nfrom aws_lambda_powertools.utilities.parser.models import SqsRecordModel as M\nx: M = E.SQS",
            "batchcore, batchcore-sqs[pydantic].",
        ),
    ],
)
def test_packages_are_those_that_the_programs_need(source: bytes, packages: str, capfdbinary: Output) -> None:
    put("app.py", b"from " + B + b" " + source + b"\n")
    migrate(".")
    assert f"Install {packages}" in output(capfdbinary)[1]


def test_a_program_that_stays_keeps_powertools(capfdbinary: Output) -> None:
    put("app.py", OLD)
    put("star.py", STAR)
    migrate(".")
    assert "aws-lambda-powertools stays: * (star.py:1)." in output(capfdbinary)[1]
