"""The libraries that programs come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from batchcore_local.migrate.study import Studying
from batchcore_local.migrate.tables import NEVER_CALLED


class Origin(NamedTuple):
    """A library that programs come from.

    Attributes:
        name: as it is called on the command line.
        distribution: as it stands in requirements.
        marks: a program that has none of these bytes is not read any further.
        study: loads what studies a program.
    """

    name: str
    distribution: str
    marks: tuple[bytes, ...]
    study: Callable[[], Studying]


def _powertools() -> Studying:
    from batchcore_local.migrate.powertools import study

    return study


def _fastsqs() -> Studying:
    from batchcore_local.migrate.fastsqs import study

    return study


ORIGINS = {
    each.name: each
    for each in (
        Origin(
            "powertools",
            "aws-lambda-powertools",
            (b"aws_lambda_powertools", *(f"def {name}".encode() for name in NEVER_CALLED)),
            _powertools,
        ),
        Origin("fastsqs", "fastsqs", (b"fastsqs",), _fastsqs),
    )
}
"""The libraries that programs come from, by name."""
