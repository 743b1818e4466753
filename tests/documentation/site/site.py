"""The built site, read as a browser would: its pages with their texts, links, anchors and what they load."""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

ROOT = Path(__file__).resolve().parents[3]
CONFIG = ROOT / "website" / "mkdocs.yml"
_LOADS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "audio": "src",
    "video": "src",
    "link": "href",
}


def mkdocs(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run MkDocs, and give what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", *map(str, arguments)],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONUTF8": "1"},
    )


class Page(HTMLParser):
    """A page of the site.

    Attributes:
        links: where its links lead.
        loads: what it loads by itself: scripts, styles, pictures.
        anchors: what can be linked on it.
        comments: what readers do not see.
        text: what they do.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links, self.loads, self.comments, self._texts = list[str](), list[str](), list[str](), list[str]()
        self.anchors = {""}
        self._silent = 0
        self.feed(html)
        self.text = "".join(self._texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a tag links, loads and names."""
        given = dict(attrs)
        self.anchors |= {given[name] or "" for name in ("id", "name") if name in given}
        self._silent += tag in {"script", "style"}
        where = given.get(_LOADS.get(tag, ""))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        elif where:
            self.loads.append(where)

    def handle_endtag(self, tag: str) -> None:
        """Leave what is no text."""
        self._silent -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        """Keep text."""
        if not self._silent:
            self._texts.append(data)

    def handle_comment(self, data: str) -> None:
        """Keep what is not seen."""
        self.comments.append(data)


class Site:
    """A built site.

    Attributes:
        folder: where it is.
        pages: its pages, by the paths under which a browser asks for them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        files = sorted(path for path in folder.rglob("*.html") if path.name != "404.html")
        self.pages = {
            "/" + path.relative_to(folder).as_posix().removesuffix("index.html"): Page(path.read_text(encoding="utf-8"))
            for path in files
        }

    @functools.cached_property
    def search_index(self) -> list[dict[str, Any]]:
        """What the search looks through."""
        index: dict[str, Any] = json.loads((self.folder / "search" / "search_index.json").read_text(encoding="utf-8"))
        found: list[dict[str, Any]] = index["docs"]
        return found

    def lost_links(self) -> list[str]:
        """Give each link that stays on the site and leads to no page, file or heading of it."""
        lost = []
        for path, page in self.pages.items():
            for link in {*page.links, *page.loads}:
                address, anchor = urldefrag(urljoin(f"http://site{path}", link))
                parts = urlsplit(address)
                if parts.netloc != "site" or parts.scheme != "http":
                    continue
                there = self.pages.get(parts.path)
                if there is None:
                    if not (self.folder / unquote(parts.path).lstrip("/")).is_file():
                        lost.append(f"{path}: no {link}")
                elif unquote(anchor) not in there.anchors:
                    lost.append(f"{path}: no heading {link}")
        return sorted(lost)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is that of the base
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine, and give its address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
