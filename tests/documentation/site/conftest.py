"""The site, built once for each process of tests, or given by ``BATCHCORE_SITE``, the folder of one that was built."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from .site import CONFIG, Site, mkdocs


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The built site."""
    given = os.environ.get("BATCHCORE_SITE")
    if given:
        return Site(Path(given))
    needs_mkdocs()
    folder = tmp_path_factory.mktemp("site")
    built = mkdocs("build", "--strict", "--config-file", CONFIG, "--site-dir", folder)
    assert built.returncode == 0, built.stdout
    return Site(folder)


def needs_mkdocs() -> None:
    """Skip a test where nothing can build the site."""
    if not CONFIG.is_file():
        pytest.skip("the site is no part of a copy of the tests")
    if importlib.util.find_spec("mkdocs") is None:
        pytest.skip("what builds the site is not installed: make docs")
