"""Packages, installed as an installer leaves them: a module, and beside it the metadata with the entry points."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

SOURCE = """
from batchcore import hookimpl

class Source:
    name = {name!r}

    @hookimpl
    def claims_event(self, event):
        return {name!r} in event

    @hookimpl
    def extract_records(self, event):
        return event[{name!r}]

    @hookimpl
    def identify_records(self, records):
        return [record["id"] for record in records]

source = Source()
"""
"""The module of a source whose events have its name as a key."""


class Site:
    """A folder of installed packages.

    Args:
        folder: where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self,
        distribution: str,
        modules: Mapping[str, str],
        *,
        sources: Mapping[str, str] | None = None,
        plugins: Mapping[str, str] | None = None,
    ) -> None:
        """Install a distribution.

        Args:
            distribution: its name.
            modules: module name to source code.
            sources: entry points of the group ``batchcore.sources``: name to ``module:attribute``.
            plugins: entry points of the group ``batchcore.plugins``.
        """
        for name, code in modules.items():
            (self.folder / f"{name}.py").write_text(dedent(code), encoding="utf-8")
        metadata = self.folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        lines: list[str] = []
        for group, entries in (("batchcore.sources", sources), ("batchcore.plugins", plugins)):
            lines += [f"[{group}]", *(f"{name} = {value}" for name, value in (entries or {}).items())]
        (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")

    def install_source(self, name: str) -> None:
        """Install a working source as the package of the conventional name."""
        module = f"batchcore_{name}_for_tests"
        self.install(f"batchcore-{name}", {module: SOURCE.format(name=name)}, sources={name: f"{module}:source"})

    def run(self, program: str, **environment: str) -> Any:
        """Run a program in a new Python that finds these packages, warnings being errors.

        Returns:
            What it printed, as JSON.
        """
        path = os.pathsep.join([str(self.folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        result = subprocess.run(
            [sys.executable, "-B", "-W", "error", "-c", dedent(program)],
            env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1", **environment},
            check=False,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)
