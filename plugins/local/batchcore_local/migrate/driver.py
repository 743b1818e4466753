"""Files in, files out: what ``batchcore migrate`` reads, shows, writes and says.

Files are read and written as bytes, so that encoding, byte order mark and line ends stay as they are.
"""

from __future__ import annotations

import ast
import difflib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

from batchcore_local.errors import LocalError
from batchcore_local.migrate import requirements
from batchcore_local.migrate.origins import Origin
from batchcore_local.migrate.study import Finding, Reference, Study, Studying

NOT_OURS = frozenset(("__pycache__", "node_modules", "site-packages", "build", "dist"))
"""Folders that are not looked into, as are hidden ones and virtual environments."""

Say: TypeAlias = Callable[[str], object]


@dataclass
class Program:
    """One file.

    Attributes:
        path: where it is.
        old: what it holds.
        study: what was found out about it.
        new: what it would hold; the same bytes where nothing changes.
    """

    path: Path
    old: bytes
    study: Study
    new: bytes

    @property
    def changes(self) -> bool:
        """Whether the file would be another."""
        return self.new != self.old


class UnreadableError(LocalError):
    """A file that cannot be read as a program.

    Attributes:
        line: where that was seen; 0 for the whole file.
    """

    def __init__(self, message: str, *, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def migrate(
    path: Path, origin: Origin, *, write: bool = False, check: bool = False, say: Say, show: Callable[[bytes], object]
) -> int:
    """Change the programs of a file or a folder to batchcore, or show what would change.

    Args:
        path: the file or the folder.
        origin: the library that the programs are written for.
        write: whether files are written. Otherwise a diff is shown.
        check: whether to say with the exit code that something would change or is left, and show no diff.
        say: is given each line of the report.
        show: is given the diff, which can be applied with ``patch -p1`` or ``git apply``.

    Returns:
        0 when all is well; 1 when a file could not be read or written, and for a check also when something would
        change or is left to a person.
    """
    if find_spec("libcst") is None:
        raise LocalError(
            'batchcore migrate reads programs with libcst. Install it: pip install "batchcore-local[migrate]", or from '
            "a checkout of batchcore: pip install libcst."
        )
    if not path.exists():
        raise LocalError(f"There is no {path}. PATH is a file or a folder.")
    programs, failed = _read(path, origin, say)
    root = path if path.is_dir() else path.parent
    _keep_together(programs, root)
    changed = [each for each in programs if each.changes]
    for each in programs:
        _report(each, say)
    if not (write or check):
        for each in changed:
            show(difference(_shown(each.path), each.old, each.new))
    if write:
        failed += sum(not _written(each, say) for each in changed)
    left = [each for each in programs if each.study.left]
    verb = "changed" if write else "would change"
    say(f"{_count(len(changed), 'file')} {verb}, {len(left)} left to you, {failed} not read or written.")
    if changed:
        for line in requirements.advice(root, origin, [(_shown(each.path), each.study) for each in programs]):
            say(line)
    return 1 if failed or (check and (changed or left)) else 0


def difference(name: str, old: bytes, new: bytes) -> bytes:
    """Return a unified diff of two versions of a file, as bytes.

    Args:
        name: the file's name, with forward slashes.
        old: what it holds.
        new: what it would hold.
    """
    lines = difflib.diff_bytes(
        difflib.unified_diff, _lines(old), _lines(new), f"a/{name}".encode(), f"b/{name}".encode(), lineterm=b"\n"
    )
    return b"".join(line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in lines)


def programs_in(path: Path) -> Iterator[Path]:
    """Yield the Python files of a folder in their order, or the file itself. Links are not followed.

    Args:
        path: the file or the folder.
    """
    if path.is_file():
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(
            each
            for each in folders
            if not each.startswith(".") and each not in NOT_OURS and not Path(folder, each, "pyvenv.cfg").exists()
        )
        for name in sorted(files):
            file = Path(folder, name)
            if name.endswith(".py") and not file.is_symlink():
                yield file


def _read(path: Path, origin: Origin, say: Say) -> tuple[list[Program], int]:
    studying, programs, failed = origin.study(), list[Program](), 0
    for file in programs_in(path):
        try:
            data = file.read_bytes()
            if any(mark in data for mark in origin.marks):
                programs.append(_studied(file, data, studying))
        except OSError as error:
            failed += 1
            say(f"{_shown(file)}: not read: {error.strerror or error}.")
        except UnreadableError as error:
            failed += 1
            say(
                f"{_shown(file)}:{error.line}: not read: {error}"
                if error.line
                else f"{_shown(file)}: not read: {error}"
            )
    return programs, failed


def _studied(file: Path, data: bytes, studying: Studying) -> Program:
    module = parse(data)
    study = studying(module)
    new = data
    if study.rewrite is not None:
        new = study.rewrite().bytes
        parse(new)
    return Program(file, data, study, new)


def parse(data: bytes) -> Any:
    """Parse a program.

    Args:
        data: what its file holds.

    Returns:
        Its tree, which gives the same bytes back.

    Raises:
        UnreadableError: it is no program, or would not give the same bytes back.
    """
    import libcst

    try:
        module = libcst.parse_module(data)
    except libcst.ParserSyntaxError as error:
        message = error.message.splitlines()[-1]
        # The tokenizer of libcst says line 1 of everything.
        line = _line_of_mistake(data) if message.startswith("tokenizer") else error.raw_line
        raise UnreadableError(f"it does not parse: {message}.", line=line) from error
    except (SyntaxError, UnicodeError, LookupError, ValueError) as error:  # of the coding that its first lines name
        raise UnreadableError(f"its encoding: {error}.", line=1) from error
    except RecursionError as error:
        raise UnreadableError("it is nested too deeply.") from error
    if module.bytes != data:
        raise UnreadableError("it would not be written back byte by byte.")
    return module


def _line_of_mistake(data: bytes) -> int:
    """Return the line that Python finds a mistake on; 0 where it finds none."""
    if b"\0" in data:
        return data.count(b"\n", 0, data.index(b"\0")) + 1
    try:
        ast.parse(data)
    except SyntaxError as error:
        return error.lineno or 0
    return 0


def _keep_together(programs: Sequence[Program], root: Path) -> None:
    """Leave programs that import one that is left, or are imported by it: they share a processor or a class of one."""
    by_path = {each.path.resolve(): each for each in programs if each.study.concerned}
    neighbours: dict[Path, set[Path]] = {path: set() for path in by_path}
    for path, each in by_path.items():
        for reference in each.study.references:
            for other in _files_of(reference, path, root.resolve()):
                if other in by_path and other != path:
                    neighbours[path].add(other)
                    neighbours[other].add(path)
    waiting = [path for path, each in by_path.items() if each.study.left]
    while waiting:
        path = waiting.pop()
        for other in sorted(neighbours[path]):
            each = by_path[other]
            if not each.study.left:
                each.study.left.append(
                    Finding(
                        0, f"shares imports with {_shown(by_path[path].path)}, which is left. Change both together."
                    )
                )
                each.study.notes.clear()
                each.new = each.old
                waiting.append(other)


def _files_of(reference: Reference, importer: Path, root: Path) -> Iterator[Path]:
    """Yield the files that an import may mean: the module, and each imported name that is a module."""
    if reference.level:
        folders = [importer.parents[reference.level - 1]] if reference.level <= len(importer.parents) else []
    else:
        folders = [each for each in importer.parents if each == root or root in each.parents]
        folders += [each / "src" for each in folders]
    parts = [part for part in reference.dotted.split(".") if part]
    for folder in folders:
        base = folder.joinpath(*parts)
        candidates = [base, *(base / name for name in reference.names if "." not in name)]
        files = [
            file
            for each in candidates
            for file in (each / "__init__.py", each.parent / f"{each.name}.py")
            if each != folder or file.name == "__init__.py"
        ]
        found = [file for file in files if file.is_file()]
        if found:
            yield from found
            return


def _report(program: Program, say: Say) -> None:
    name = _shown(program.path)
    for word, findings in (("left", program.study.left), ("look", program.study.notes)):
        for finding in findings:
            where = f"{name}:{finding.line}" if finding.line else name
            say(f"{where}: {word}: {finding.text}")


def _written(program: Program, say: Say) -> bool:
    """Write a file as a whole or not at all, and return whether it was written."""
    name = None
    try:
        with tempfile.NamedTemporaryFile(dir=program.path.parent, prefix=".batchcore-", delete=False) as file:
            name = file.name
            file.write(program.new)
        shutil.copymode(program.path, name)
        Path(name).replace(program.path.resolve())
    except OSError as error:
        if name is not None:
            Path(name).unlink(missing_ok=True)
        say(f"{_shown(program.path)}: not written: {error.strerror or error}.")
        return False
    return True


def _shown(path: Path) -> str:
    """Return a path as seen from here, with forward slashes, as a diff has it."""
    whole, here = path.absolute(), Path.cwd()
    return whole.relative_to(here).as_posix() if whole.is_relative_to(here) else whole.as_posix()


def _lines(data: bytes) -> list[bytes]:
    """Return the lines of a file, each with its end; a carriage return alone ends none."""
    return [line + b"\n" for line in data.split(b"\n")[:-1]] + [line for line in data.split(b"\n")[-1:] if line]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
