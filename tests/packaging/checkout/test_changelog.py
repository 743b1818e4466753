"""The changelog names the version that is built."""

from __future__ import annotations

import re
from importlib import metadata

from .files import ROOT


def test_the_newest_entry_is_of_this_version() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert headings[0].rstrip(",") == metadata.version("batchcore")
