"""What is found out about one program, whatever library it is written for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias


class Finding(NamedTuple):
    """Something of a program that a person decides on.

    Attributes:
        line: the line, counting from 1; 0 for the whole file.
        text: what was seen, and what to do.
    """

    line: int
    text: str


class Reference(NamedTuple):
    """A module that a program imports.

    Attributes:
        dotted: its name, without leading dots.
        level: how many leading dots it had.
        names: what is imported from it, any of which may be a module too.
    """

    dotted: str
    level: int
    names: tuple[str, ...]


@dataclass
class Study:
    """What was found out about a program.

    Attributes:
        concerned: whether it is written for the library at all, so that it goes over with its neighbours or not at all.
        left: why it is left as it is. Where there is any reason, nothing of it is changed.
        notes: what is changed, or need not be, and should be looked at.
        rewrite: makes the new program of the old; None where nothing changes.
        packages: what the new program needs, as requirements.
        references: the modules that it imports.
        kept: what it still imports of the other library once it is changed, with its line.
    """

    concerned: bool = False
    left: list[Finding] = field(default_factory=list[Finding])
    notes: list[Finding] = field(default_factory=list[Finding])
    rewrite: Callable[[], Any] | None = None
    packages: set[str] = field(default_factory=set[str])
    references: list[Reference] = field(default_factory=list[Reference])
    kept: list[Finding] = field(default_factory=list[Finding])


Studying: TypeAlias = Callable[[Any], Study]
"""Studies a program, of which it gets the tree."""
