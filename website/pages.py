"""A page of the repository as a page of the site: without its hidden checks, and with links that lead somewhere."""

from __future__ import annotations

import html
import posixpath
import re
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = sorted(path.parent.name for path in ROOT.glob("plugins/*/README.md"))
MOUNTED = {
    **{f"plugins/{name}/README.md": f"packages/{name}.md" for name in PACKAGES},
    "examples/README.md": "examples.md",
    "templates/README.md": "templates.md",
    "CHANGELOG.md": "changes.md",
}
"""Pages of the repository outside of ``docs/`` that the site has, and where."""

REPLACED = {"README.md": "README.md", "": "README.md"}
"""Of the repository, what the site has another page for: its first page is that of ``docs/``."""

_FROM = {uri: path for path, uri in MOUNTED.items()}
_KEPT = r"(?P<kept>^ *(?P<fence>```+)[^\n]*\n.*?^ *(?P=fence)$|`+[^`\n]+`+(?!\())"
_HIDDEN = re.compile(rf"{_KEPT}|^<!--.*?-->\n?", re.MULTILINE | re.DOTALL)
_CONTENTS = re.compile(r"(?:^- \[[^\]]+\]\(#[^)]+\)\n){3,}", re.MULTILINE)
_LINK = re.compile(
    rf'{_KEPT}|(?<!!)\[(?P<text>(?:`[^`]*`|[^\]`])*)\]\((?P<target>[^)\s]+)(?:\s+"(?P<title>[^"]*)")?\)',
    re.MULTILINE | re.DOTALL,
)


def prepared(markdown: str, uri: str, repository: str) -> str:
    """Return the text of a page as the site has it.

    Args:
        markdown: the text in the repository.
        uri: the name of the page on the site.
        repository: the address of the repository; empty, where there is none.
    """
    page = _FROM.get(uri, f"docs/{uri}")
    shown = _HIDDEN.sub(lambda match: match["kept"] or "", markdown)
    linked = _LINK.sub(lambda match: match["kept"] or _link(match, page, uri, repository), shown)
    # The site has a list of headings beside a page, where there is room for it: see assets/site.css.
    return _CONTENTS.sub(r'<div class="contents" markdown>\n\n\g<0>\n</div>\n', linked)


def repository(project: Path = ROOT / "pyproject.toml") -> str:
    """Return the address of the repository: ``Repository`` of ``[project.urls]``; empty, as long as it says none."""
    urls: dict[str, str] = tomllib.loads(project.read_text(encoding="utf-8"))["project"].get("urls", {})
    return urls.get("Repository", "").rstrip("/")


def uri_of(target: str, page: str) -> str | None:
    """Return the page of the site that a link leads to, or None where the site has none.

    Args:
        target: where the link leads, without an anchor, seen from the page.
        page: the path of the page in the repository.
    """
    path = path_of(target, page)
    if path in MOUNTED:
        return MOUNTED[path]
    if path in REPLACED:
        return REPLACED[path]
    return path.removeprefix("docs/") if path.startswith("docs/") else None


def path_of(target: str, page: str) -> str:
    """Return the path in the repository that a link of a page leads to."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
    return "" if path == "." else path


def _link(match: re.Match[str], page: str, here: str, repository: str) -> str:
    """Return a link as the site has it."""
    text, title = match["text"], match["title"]
    target, _, anchor = match["target"].partition("#")
    if not target or "://" in target or target.startswith("mailto:"):
        return match[0]
    path = path_of(target, page)
    uri = uri_of(target, page) if not (anchor and path in REPLACED) else None
    if uri is not None:
        to = posixpath.relpath(uri, posixpath.dirname(here) or ".")
        return f"[{text}]({to}{anchor and f'#{anchor}'})"
    if repository:
        return f"[{text}]({repository}/blob/main/{path})"
    return _without_address(text, path, title)


def _without_address(text: str, path: str, title: str | None) -> str:
    """Return what stands in place of a link into a repository that has no address: the path.

    The proof of a claim would break the sentence, so its path is a hint.
    """
    if title or "/tests/" in f"/{path}":
        hint = html.escape(f"{path}: {title}" if title else path, quote=True)
        return f'<span class="elsewhere" title="{hint}">{text}</span>'
    return f"`{path}`" if path.endswith(text.strip("`")) else f"{text} (`{path}`)"
