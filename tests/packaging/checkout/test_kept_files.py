"""What every file of the checkout must or must not hold."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from .files import ROOT, kept_files, package_sources

# In pieces, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile("/" + r"(work|tmp|root|home|Users|var/folders)/\w" + r"|\b[A-Z]:\\Users\\")
REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "yarn" + "pkg.com")
REGISTRY_OPTION = re.compile("--(extra-)?" + "index-url|--find-" + "links")
DIRECTIVE = re.compile(
    r"pragma: no (cover|branch)|noqa(: [A-Z]+\d+(, ?[A-Z]+\d+)*)?"
    r"|(type|pyright|mypy): ?ignore(\[[\w, -]+\])?|fmt: (off|on|skip)"
)


def texts() -> Iterator[tuple[str, str]]:
    """Give the name and content of every text file."""
    for path in kept_files():
        yield str(path.relative_to(ROOT)), path.read_bytes().decode(errors="replace")


def found(pattern: re.Pattern[str]) -> list[str]:
    """Give where a pattern is found, as ``file:line: text``."""
    return [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_files_are_found() -> None:
    names = {name for name, _ in texts()}

    assert {"pyproject.toml", "batchcore/__init__.py", ".ci/run", "plugins/sqs/pyproject.toml"} <= names


def test_no_file_holds_a_path_of_a_machine() -> None:
    assert found(MACHINE_PATH) == []


def test_no_file_holds_the_address_of_a_registry() -> None:
    assert found(re.compile("|".join(map(re.escape, REGISTRIES)))) == []
    assert found(REGISTRY_OPTION) == []


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("/" + "home/someone/checkout", True),
        ("/" + "tmp/x", True),
        ("C:" + r"\Users\someone", True),
        ("https://example.com/homepage", False),
        ("a/tmpfile", False),
    ],
)
def test_a_path_of_a_machine_is_recognised(text: str, is_one: bool) -> None:
    assert bool(MACHINE_PATH.search(text)) == is_one


@pytest.mark.parametrize("path", package_sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_tool_is_told_to_overlook_carries_a_reason(path: Path) -> None:
    assert list(unexplained(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("line", "explained"),
    [
        ("x = 1  # noqa: E741", False),
        ("x = 1  # noqa: E741 - the name of the formula", True),
        ("x = 1  # type: ignore[assignment]", False),
        ("x = 1  # type: ignore[assignment]  # noqa: E741", False),
        ("x = 1  # type: ignore[assignment]  # checked above", True),
        ("x = 1  # pragma: no cover", False),
        ("x = 1  # pragma: no cover - only on Windows", True),
        ("x = 1  # pyright: ignore[reportPrivateUsage] one package", True),
        ("x = '# noqa'", True),
    ],
)
def test_a_reason_is_recognised(line: str, explained: bool) -> None:
    assert (list(unexplained(line + "\n")) == []) == explained


def unexplained(source: str) -> Iterator[str]:
    """Give the comments that silence a tool and say nothing else."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and DIRECTIVE.search(token.string):
            reason = DIRECTIVE.sub("", token.string)
            if len(re.findall(r"\w+", reason)) < 2:
                yield f"{token.start[0]}: {token.string}"
