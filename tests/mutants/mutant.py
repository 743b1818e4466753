"""What a mutant is."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One change of one file.

    Attributes:
        breaks: the promise, in words.
        file: the file, below ``batchcore/``; one of the kit as ``batchcore_testing/...``.
        old: the text that is replaced.
        new: the text instead.
        where: the folder or file of the tests, below ``tests/``.
        tests: what ``pytest -k`` selects there.
    """

    breaks: str
    file: str
    old: str
    new: str
    where: str
    tests: str
