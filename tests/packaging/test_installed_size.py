"""What a function deploys stays small: the core, a source and what they need, without byte code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

MOST = 600_000
"""Bytes. docs/architecture.md, Decisions, says what they are made of."""


def test_the_core_with_one_source_is_small(stranger: Mapping[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", f"--target={tmp_path}"]
    subprocess.run([*command, "batchcore", "batchcore-sqs"], check=True, capture_output=True, text=True, env=stranger)

    sizes = {path.relative_to(tmp_path): path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.suffix for path in sizes}.isdisjoint({".pyc"})
    assert {path.parts[0] for path in sizes if ".dist-info" not in path.parts[0]} == {
        "batchcore",
        "batchcore_sqs",
        "pluggy",
    }
    assert sum(sizes.values()) <= MOST
