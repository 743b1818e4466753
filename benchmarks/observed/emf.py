"""The metrics of batchcore-emf, written to a standard output that goes nowhere."""

from __future__ import annotations

import os
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from batchcore_emf import CloudWatchMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def plugins(address: str) -> Iterator[list[object]]:
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        yield [CloudWatchMetrics("Shop", {"service": "orders"})]
