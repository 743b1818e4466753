"""The site has every page, all of it leads somewhere, and nothing on it is meant for somebody else."""

from __future__ import annotations

import re
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from batchcore import hookspecs
from tests.documentation.pages.page import parts_of

from .conftest import needs_mkdocs
from .site import CONFIG, ROOT, Page, Site, mkdocs

PAGES = sorted((ROOT / "docs").glob("*.md"))
PACKAGES = ["batchcore", *sorted(f"batchcore_{path.parent.name}" for path in ROOT.glob("plugins/*/README.md"))]
SPECS = ("SourceHooks", "ExtensionHooks", "ObserverHooks")
LEFT_OVER = re.compile(r":(?:class|func|meth|mod|attr|data|exc|obj):|\]\(|\]\[|::$|^:::|``", re.MULTILINE)
"""What was meant as markup, and was not understood."""


# Pages and links.


def test_every_page_is_on_the_site_and_linked_from_its_navigation(site: Site) -> None:
    first = site.pages["/"]
    expected = [f"{path.stem}/" for path in PAGES if path.stem != "README"]

    assert [name for name in expected if f"/{name}" not in site.pages or name not in first.links] == []


def test_the_navigation_has_the_four_parts(site: Site) -> None:
    titles = [
        title for title in ("Tutorial", "How-to", "Reference", "Explanation") if title in site.pages["/guide/"].text
    ]

    assert titles == ["Tutorial", "How-to", "Reference", "Explanation"]


def test_every_link_leads_to_a_page_and_a_heading(site: Site) -> None:
    assert site.lost_links() == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "index.html").write_text('<a href="other/#there"></a><a href="gone/"></a><a href="other/#no"></a>')
    (tmp_path / "other" / "index.html").write_text('<h2 id="there"></h2><img src="gone.png"><a href="https://x/y"></a>')

    assert Site(tmp_path).lost_links() == ["/: no gone/", "/: no heading other/#no", "/other/: no gone.png"]


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("[away](gone.md)", "gone.md"),
        ("[away](#gone)", "#gone"),
        ("[away](/gone.md)", "/gone.md"),
        ("[away](../gone.py)", "gone.py"),
        ("[here](index.md)", ""),
    ],
)
def test_a_page_with_a_dead_link_is_not_built(page: str, complaint: str, tmp_path: Path) -> None:
    built = build_with(page, tmp_path)

    assert (built.returncode != 0, complaint in built.stdout) == (bool(complaint), True), built.stdout


def test_a_page_that_is_not_in_the_navigation_is_not_built(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "lonely.md").write_text("# Lonely\n")
    built = build_with("# Start\n", tmp_path)

    assert (built.returncode, "lonely.md" in built.stdout) == (1, True), built.stdout


def build_with(page: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Build a site of one page by the configuration of ours, without what makes pages of its own."""
    needs_mkdocs()
    docs = folder / "docs"
    docs.mkdir(exist_ok=True)
    (docs / "index.md").write_text(page)
    validation = CONFIG.read_text(encoding="utf-8").partition("\nvalidation:\n")[2]
    config = folder / "mkdocs.yml"
    config.write_text(f"site_name: x\nnav: [index.md]\ntheme: mkdocs\nplugins: []\nvalidation:\n{validation}")
    return mkdocs("build", "--strict", "--config-file", config)


# What readers see.


def test_no_hidden_check_is_on_the_site(site: Site) -> None:
    hidden = {path: hidden_lines(path) for path in PAGES}
    seen = []
    for path, lines in hidden.items():
        location = "" if path.stem == "README" else f"{path.stem}/"
        entries = [entry["text"] for entry in site.search_index if entry["location"].partition("#")[0] == location]
        text = squeezed(site.pages[f"/{location}"].text + " ".join(Page(entry).text for entry in entries))
        assert entries != []
        seen += [f"{path.name}: {line}" for line in lines if line in text]

    assert sum(map(len, hidden.values())) > 500
    assert seen == []


def hidden_lines(path: Path) -> list[str]:
    """Give the lines of a page's checks that it does not show as well: those that are long enough to be told."""
    text = path.read_text(encoding="utf-8")
    parts = parts_of(text)
    shown = squeezed("".join(part.text for part in parts if part.language != "check"))
    lines = [squeezed(line) for part in parts if part.language == "check" for line in part.text.splitlines()]
    return [line for line in lines if len(line) > 30 and line not in shown]


def squeezed(text: str) -> str:
    """Leave out spaces, which are not kept on the way."""
    return "".join(text.split())


def test_no_comment_of_a_page_is_on_the_site(site: Site) -> None:
    words = re.compile(r"^ (check|raises|warns|fails|shows|file|write|change)\b")

    assert [path for path, page in site.pages.items() if any(map(words.search, page.comments))] == []


def test_no_markup_is_left_over(site: Site) -> None:
    texts = {path: (site.folder / path.lstrip("/") / "index.html").read_text(encoding="utf-8") for path in site.pages}
    without_code = {
        path: Page(re.sub(r"<(pre|code)\b.*?</\1>", "", text, flags=re.DOTALL)).text for path, text in texts.items()
    }
    found = {path: sorted(set(LEFT_OVER.findall(text))) for path, text in without_code.items()}

    assert {path: left for path, left in found.items() if left} == {}


# Nothing from elsewhere.


def test_no_page_loads_anything_from_elsewhere(site: Site) -> None:
    loaded = {(path, where) for path, page in site.pages.items() for where in page.loads}

    assert len(loaded) > len(site.pages)
    assert [each for each in sorted(loaded) if re.match(r"(\w+:)?//", each[1])] == []


def test_no_style_loads_anything_from_elsewhere(site: Site) -> None:
    styles = {path.name: path.read_text(encoding="utf-8") for path in site.folder.rglob("*.css")}
    outside = re.compile(r"""(?:url\(|@import)\s*["']?(?:\w+:)?//""")

    assert len(styles) >= 3
    assert [name for name, style in styles.items() if outside.search(style)] == []


# The reference.


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_its_entry(site: Site, package: str) -> None:
    names = import_module(package).__all__
    anchors = set().union(*(page.anchors for path, page in site.pages.items() if path.startswith("/reference/")))

    assert [name for name in names if f"{package}.{name}" not in anchors] == []


def test_every_hook_has_its_entry(site: Site) -> None:
    hooks = [
        f"batchcore.hookspecs.{spec}.{name}"
        for spec in SPECS
        for name, value in vars(getattr(hookspecs, spec)).items()
        if hasattr(value, "batchcore_spec")
    ]

    assert len(hooks) > 20
    assert [hook for hook in hooks if hook not in site.pages["/reference/hooks/"].anchors] == []


def test_a_role_of_a_docstring_is_a_link(site: Site) -> None:
    assert "../batchcore/#batchcore.process_partial_response" in site.pages["/reference/batchcore/"].links or (
        "#batchcore.process_partial_response" in site.pages["/reference/batchcore/"].links
    )


@pytest.mark.parametrize(
    ("words", "page"),
    [("visibility timeout", "guide/"), ("dead_letter_after", "failures/"), ("record_decoder", "reference/hooks/")],
)
def test_the_search_knows(site: Site, words: str, page: str) -> None:
    found = {
        entry["location"].partition("#")[0]
        for entry in site.search_index
        if words in f"{entry['title']} {entry['text']}"
    }

    assert page in found
