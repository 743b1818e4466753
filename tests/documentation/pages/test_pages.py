"""Every program of the documentation runs and does what the page says; every link leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from .page import ROOT, PageError, parts_of, run

PATTERNS = ("*.md", "docs/*.md", "plugins/*/README.md", "templates/*.md")
PAGES = sorted(path for pattern in PATTERNS for path in ROOT.glob(pattern))
RUNNER = Path(__file__).with_name("page.py")
USES_MODELS = re.compile(r"^ *(from|import) (pydantic|batchcore_\w+\.models)\b", re.MULTILINE)
NEEDS = {
    "pydantic": USES_MODELS,
    "fastavro": re.compile(r"^ *(from|import) batchcore_kafka\.avro\b", re.MULTILINE),
    "opentelemetry.exporter.otlp.proto.http": re.compile(r"^ *(from|import) opentelemetry\.exporter\b", re.MULTILINE),
}
"""What a page may need that has no release for Python 3.15."""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def test_the_pages_are_found() -> None:
    names = {name_of(page) for page in PAGES}
    assert {"README.md", "docs/guide.md", "docs/hooks.md", "docs/sources.md", "plugins/sqs/README.md"} <= names


# What runs.


@every_page
def test_a_hidden_check_is_hidden_to_its_end(page: Path) -> None:
    """A comment ends at the first mark of its end, also inside of a text of Python: what follows would be shown."""
    assert [part.line for part in parts_of(page.read_text(encoding="utf-8")) if "-->" in part.text] == []


@every_page
def test_the_programs_of_a_page_run(page: Path, tmp_path: Path) -> None:
    """Each in an interpreter of its own, with the packages that the page itself puts together."""
    parts = parts_of(page.read_text(encoding="utf-8"))
    for package, uses in NEEDS.items():
        if any(part.runs and uses.search(part.text) for part in parts):
            pytest.importorskip(package)
    result = subprocess.run(
        [sys.executable, str(RUNNER), str(page)],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        env=environment(str(packages_of(page, tmp_path))),
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    ran = sum(part.runs and part.language == "python" for part in parts)
    assert result.stdout.splitlines()[-1] == str(ran)


def environment(packages: str) -> dict[str, str]:
    """What a program of a page finds: no tracing, no AWS, and nothing that a user's own settings would change."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BATCHCORE_", "COV_"))}
    path = os.pathsep.join(filter(None, (packages, os.environ.get("PYTHONPATH"))))
    return {**kept, "PYTHONPATH": path, "POWERTOOLS_TRACE_DISABLED": "1", "PYTHONUTF8": "1"}


def packages_of(page: Path, folder: Path) -> Path:
    """Build the packages whose files stand on a page, and give the folder in which they are installed."""
    sources, installed = folder / "sources", folder / "installed"
    projects: set[Path] = set()
    for part in parts_of(page.read_text(encoding="utf-8")):
        if "file" in part.marks:
            file = sources / part.marks["file"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(part.text, encoding="utf-8")
            projects.add(sources / Path(part.marks["file"]).parts[0])
    for project in sorted(projects):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "wheels")]
        subprocess.run(command, check=True, capture_output=True, cwd=project)
    for wheel in (folder / "wheels").glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(installed)
    return installed


def test_the_source_of_the_page_is_short() -> None:
    """About as many lines as a source takes that is written in full."""
    text = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    (source,) = (part for part in parts_of(text) if part.marks.get("file") == "kafka/acme_kafka/__init__.py")
    assert len([line for line in source.text.splitlines() if line.strip()]) <= 36


@every_page
def test_every_lambda_handler_of_a_page_is_called_by_a_check(page: Path) -> None:
    parts = [part for part in parts_of(page.read_text(encoding="utf-8")) if part.runs]
    unchecked = []
    for number, part in enumerate(parts):
        if part.language == "python" and "def lambda_handler(" in part.text:
            follow = parts[number + 1 : number + 2]
            if not any(each.language == "check" and "lambda_handler" in each.text for each in follow):
                unchecked.append(part.line)
    assert unchecked == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```python\nassert 1 == 2\n```\n", "line 2: raises"),
        ("prose\n\n<!-- check\nassert False\n-->\n", "line 4: raises"),
        ("<!-- raises KeyError -->\n```python\n{}[1]\n```\n", ""),
        ("<!-- raises KeyError -->\n```python\npass\n```\n", "raises nothing"),
        ("<!-- raises KeyError -->\n```python\n[][1]\n```\n", "raises"),
        ("```python\nimport warnings\nwarnings.warn('old', DeprecationWarning)\n```\n", "warns"),
        ("<!-- warns UserWarning -->\n```python\nimport warnings\nwarnings.warn('old')\n```\n", ""),
        ("```python\nx = 1\n```\n\n```python\nassert x == 1\n```\n", ""),
        ('```json\n{"a": 1}\n```\n\n<!-- check\nassert shown == {"a": 1}\n-->\n', ""),
        ('```json\n{"a": 1}\n```\n\n<!-- check\nassert shown == {"a": 2}\n-->\n', "raises"),
        ("```console\n$ rm everything\n```\n", ""),
        ("```python\n1 +\n```\n", "raises"),
    ],
)
def test_a_page_that_does_not_do_what_it_says_is_found_out(text: str, complaint: str) -> None:
    if not complaint:
        run("a page", text)
        return
    with pytest.raises(PageError, match=complaint):
        run("a page", text)


def test_a_comment_that_means_nothing_is_found_out() -> None:
    with pytest.raises(ValueError, match="line 3"):
        parts_of("\n\n<!-- chekc\nassert False\n-->\n")


# What is linked.

FENCE = re.compile(r"^```.*?^```$|<!--.*?-->", re.MULTILINE | re.DOTALL)
LINK = re.compile(r'\[[^\]]*\]\((?P<target>[^)\s]+)(?:\s+"(?P<title>[^"]*)")?\)')
# A copy of the tests that is run against installed packages has what is read, and not what is run.
NOT_COPIED = (
    "batchcore/",
    "benchmarks/",
    "findings/",
    "LICENSE",
    *(f"plugins/{name}/batchcore_" for name in ("sqs", "local")),
)
IS_CHECKOUT = (ROOT / "batchcore").is_dir()


class Link(NamedTuple):
    """A link of a page.

    Attributes:
        line: the line it stands on.
        file: what it leads to.
        anchor: the heading, or nothing.
        title: the claim marker: a test or a word that the file has.
    """

    line: int
    file: Path
    anchor: str
    title: str


def links_of(page: Path) -> Iterator[Link]:
    """Give the links that stay in the repository."""
    text = FENCE.sub(lambda match: "\n" * match[0].count("\n"), page.read_text(encoding="utf-8"))
    for match in LINK.finditer(text):
        target = match["target"]
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        yield Link(text.count("\n", 0, match.start()) + 1, file, anchor, match["title"] or "")


def anchors_of(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as the usual viewers make them."""
    anchors: dict[str, int] = {}
    found = set()
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        linked = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", linked.lower()).replace(" ", "-")
        times = anchors[anchor] = anchors.get(anchor, -1) + 1
        found.add(f"{anchor}-{times}" if times else anchor)
    return found


def is_within_reach(file: Path) -> bool:
    relative = file.relative_to(ROOT).as_posix()
    return IS_CHECKOUT or not relative.startswith(NOT_COPIED)


@every_page
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    lost = []
    for link in links_of(page):
        if not is_within_reach(link.file):
            continue
        if not link.file.exists():
            lost.append(f"line {link.line}: no file {link.file}")
        elif link.anchor and link.anchor not in anchors_of(link.file):
            lost.append(f"line {link.line}: no heading #{link.anchor} in {link.file.name}")
    assert lost == []


@every_page
def test_every_claim_of_a_page_names_what_shows_it(page: Path) -> None:
    """The title of a link is the test behind it, or a word of the benchmark."""
    unknown = []
    for link in links_of(page):
        if not link.title or not is_within_reach(link.file):
            continue
        text = link.file.read_text(encoding="utf-8")
        named = f"def {link.title}(" if link.title.startswith("test_") else link.title
        if named not in text:
            unknown.append(f"line {link.line}: {link.file.name} has no {link.title}")
    assert unknown == []


def test_every_row_of_the_comparison_names_a_test() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| | Powertools | batchcore | |\n")[2].partition("\n\n")[0]
    page = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")
    whole = page.partition("| what | here | where it may surprise | shown by |\n")[2].partition("\n\n")[0]
    rows, all_rows = table.splitlines()[1:], whole.splitlines()[1:]
    assert len(rows) >= 4
    assert len(all_rows) >= 25
    shown = re.compile(r'\[test\]\([^)]+ "test_\w+"\)|\[this page\]\(#what-differs-on-purpose\)')
    assert [row for row in (*rows, *all_rows) if not shown.search(row)] == []


def test_every_page_of_the_documentation_is_named_by_its_first() -> None:
    first = ROOT / "docs" / "README.md"
    named = {first, *(link.file for link in links_of(first))}
    assert [name_of(page) for page in PAGES if page.parent.name == "docs" and page not in named] == []


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("## Kinesis and DynamoDB Streams", "kinesis-and-dynamodb-streams"),
        ("### `delivery_attempt(record: Record) -> int | None`", "delivery_attemptrecord-record---int--none"),
        ("### Is it one, or two?", "is-it-one-or-two"),
    ],
)
def test_an_anchor_is_made_of_a_heading(heading: str, anchor: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{heading}\n\n```text\n# no heading\n```\n\n{heading}\n", encoding="utf-8")
    assert anchors_of(page) == {"title", anchor, f"{anchor}-1"}
