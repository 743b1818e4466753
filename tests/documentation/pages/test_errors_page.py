"""The page on errors has all of them, each with what to do, and raises each."""

from __future__ import annotations

import inspect
import re

import pytest

from batchcore import dispositions, errors, results

from .page import ROOT

PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
NAMED = {**vars(errors), **vars(dispositions), **vars(results)}
PUBLIC = {name: value for name, value in NAMED.items() if not name.startswith("_")}
ERRORS = [name for name, kind in PUBLIC.items() if inspect.isclass(kind) and issubclass(kind, BaseException)]
BASES = {"BatchcoreError", "SourceError", "RaisedDisposition", "RecordError"}


def section(name: str) -> str:
    """Give the text of an error, up to the next heading."""
    _, heading, rest = PAGE.partition(f"\n### `{name}`\n")
    assert heading, f"{name} has no heading"
    return re.split(r"^##", rest, maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_has_a_heading_and_says_when_and_what_to_do(name: str) -> None:
    text = section(name)
    assert "\n**When.** " in text
    assert "\n**Do.** " in text


@pytest.mark.parametrize("name", [name for name in ERRORS if name not in BASES])
def test_an_error_is_raised_or_seen_by_the_check_under_it(name: str) -> None:
    _, _, check = section(name).partition("<!-- check\n")
    assert re.search(rf"raised\({name},|is {name}\b|errors\.{name}: ", check)


def test_the_page_has_no_error_that_is_not_there() -> None:
    assert set(re.findall(r"^### `(\w+)`$", PAGE, re.MULTILINE)) == set(ERRORS)


def test_the_tree_is_the_one_of_the_code() -> None:
    drawn = PAGE.partition("```text\n")[2].partition("```")[0].splitlines()
    _, _, documented = (errors.__doc__ or "").partition("Errors. One tree::")
    tree = [re.match(r"[│├└─ ]*\w+( \(also \w+\))?", line) for line in documented.splitlines()]
    assert drawn == [match[0] for match in tree if match]
