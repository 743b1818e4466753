"""What a reader is advised to install is ours."""

from __future__ import annotations

import re
from pathlib import Path

from .files import PROJECTS, ROOT, kept_files

TEXTS = (".md", ".py", ".toml", ".jinja", ".yml", ".yaml", ".txt", ".in")


def test_no_page_and_no_message_advises_to_install_a_name_of_nobody() -> None:
    published = {
        name
        for project in PROJECTS
        for name in re.findall(r'^name = "(.+)"', (project / "pyproject.toml").read_text(), re.MULTILINE)
    }
    advised = {
        name: path.name
        for path in kept_files()
        if path.suffix in TEXTS and path != Path(__file__)
        for name in re.findall(r"pip install [^`\n]*?\b(batchcore[\w-]*)", path.read_text(encoding="utf-8"))
    }

    assert {"batchcore-sqs", "batchcore-deadletter"} <= advised.keys()
    # A name that ends in a hyphen is of an f-string: it goes on with a name of batchcore.entry_points.OURS.
    assert {name for name in advised if not name.endswith("-")} - published == set()


def test_every_page_that_installs_says_where_pip_finds_what_is_not_published() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    install = readme.partition("## Install\n")[2].partition("\n## ")[0]
    assert "make wheels" in install
    assert "PIP_FIND_LINKS" in install
    pages = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in kept_files()
        if path.suffix == ".md" and path != ROOT / "README.md"
    }
    installing = {name for name, text in pages.items() if re.search(r'pip install (-e "\.|"?batchcore)', text)}
    assert {"plugins/sqs/README.md", "docs/tutorial.md", "templates/README.md"} <= installing
    assert {name for name in installing if "README.md#install" not in pages[name]} == set()


def test_what_the_core_advises_to_install_is_ours() -> None:
    from batchcore.entry_points import OURS

    assert {f"batchcore-{name}" for name in OURS} == {
        "batchcore-sqs",
        "batchcore-kinesis",
        "batchcore-dynamodb",
        "batchcore-kafka",
        "batchcore-mq",
        "batchcore-firehose",
        "batchcore-s3batch",
        "batchcore-pipes",
    }
