"""What MkDocs calls on the way from ``docs/`` to the site. Each function here is named for when it is called.

The pages are written to be read in the repository as well. So what the site needs of its own is done here, and nowhere
in a page: see ``navigation.py``, ``pages.py`` and ``reference.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))  # for the docstrings, too, which are read by name: see mkdocs.yml

from website import navigation, pages, reference  # noqa: E402

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page


def on_config(config: MkDocsConfig) -> None:
    """Take the navigation from the first page."""
    first = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    config.nav = navigation.of(first, {"Reference": reference.navigation()})
    config.watch += [str(HERE), *(str(ROOT / path) for path in pages.MOUNTED)]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages that stand elsewhere in the repository, those of the reference, and the style."""
    for path, uri in pages.MOUNTED.items():
        files.append(File.generated(config, uri, content=(ROOT / path).read_text(encoding="utf-8")))
    for uri, content in reference.generated().items():
        files.append(File.generated(config, uri, content=content))
    style = HERE / "assets" / "site.css"
    files.append(File.generated(config, "assets/site.css", abs_src_path=str(style)))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - MkDocs gives them
    """Leave out what readers do not see, and make each link lead somewhere."""
    return pages.prepared(markdown, page.file.src_uri, pages.repository())
