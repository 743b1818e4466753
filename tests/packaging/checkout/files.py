"""The files of the checkout: those that are kept, not what tools left beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = (
    "batchcore",
    *(
        f"plugins/{name}/batchcore_{name}"
        for name in ("sqs", "kinesis", "dynamodb", "kafka", "mq", "firehose", "s3batch", "pipes")
    ),
    *(f"plugins/{name}/batchcore_{name}" for name in ("envelopes", "testing", "deadletter", "local")),
    *(f"plugins/{name}/batchcore_{name}" for name in ("emf", "logs", "otel", "sentry")),
)
PROJECTS = (ROOT, *(ROOT / Path(package).parent for package in PACKAGES[1:]))


def kept_files() -> Iterator[Path]:
    """Give every file that ``.gitignore`` does not name. Its lines are names, with ``/`` at the end for folders."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [line.rstrip("/") for line in lines if line and not line.startswith("#")]
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name != ".git" and not matches(name, ignored)]
        yield from (Path(folder, name) for name in files if name != ".git" and not matches(name, ignored))


def package_sources() -> list[Path]:
    """Give the Python files of all packages."""
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def matches(name: str, patterns: list[str]) -> bool:
    """Say whether a name fits one of the patterns."""
    return any(fnmatch(name, pattern) for pattern in patterns)
