"""What a project has to install once its programs have gone over. It is said; no file of it is changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from batchcore_local.migrate.origins import Origin
from batchcore_local.migrate.study import Study

NAMES = (
    "requirements*.txt",
    "requirements*.in",
    "requirements/*.txt",
    "requirements/*.in",
    "pyproject.toml",
    "Pipfile",
)
"""Files that say what a project installs."""

LEVELS = 4
"""How many folders up from the programs such files are looked for: to the root of a repository, and not beyond it."""


def advice(root: Path, origin: Origin, studies: Sequence[tuple[str, Study]]) -> Iterator[str]:
    """Yield what to install, and what is needed no more.

    Args:
        root: the folder of the programs.
        origin: the library that they came from.
        studies: the programs that mention it, each with the name of its file.
    """
    packages = set[str]().union(*(study.packages for _, study in studies if study.rewrite is not None))
    with_extras = {name.partition("[")[0] for name in packages if "[" in name}
    wanted = sorted({"batchcore", *(packages - with_extras)})
    others = "" if len(wanted) > 1 else ", and the package of each source, such as batchcore-sqs"
    yield f"Install {', '.join(wanted)}{others}."
    kept = [f"{finding.text} ({name}:{finding.line})" for name, study in studies for finding in study.kept]
    if kept:
        more = f" and {len(kept) - 3} more" if len(kept) > 3 else ""
        yield f"{origin.distribution} stays: {'; '.join(kept[:3])}{more}."
    else:
        yield f"{origin.distribution} is imported no more, by what was read here."
    verb = "add those packages" if kept else f"put those packages in the place of {origin.distribution}"
    for name, line in _lines_of(root, origin.distribution):
        yield f"{name}:{line}: {verb}."


def _lines_of(root: Path, distribution: str) -> Iterator[tuple[str, int]]:
    """Yield where files of requirements name a distribution: below a folder, and beside it up to the repository."""
    wanted = re.compile(rf"(?<![\w.-]){re.escape(distribution)}(?![\w.-])".replace(r"\-", "[-_.]"), re.IGNORECASE)
    folders = [root.resolve()]
    while not (folders[-1] / ".git").exists() and len(folders) <= LEVELS and folders[-1].parent != folders[-1]:
        folders.append(folders[-1].parent)
    if not (folders[-1] / ".git").exists():
        folders = folders[:1]
    files = {file for folder in folders for name in NAMES for file in folder.glob(name)}
    files |= {file for name in NAMES for file in root.resolve().glob(f"*/{name}")}
    for file in sorted(files):
        text = file.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if wanted.search(line.partition("#")[0]):
                yield _shown(file), number


def _shown(file: Path) -> str:
    here = Path.cwd()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else file.as_posix()
