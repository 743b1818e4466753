"""What installed packages register as entry points. A function reads them when it has a name that nobody offered.

To import a reader of metadata, and to ask it, costs a cold start 15 ms and more. So the files are read here where all
are as usual, as in nearly every function (:func:`_read_plainly`); elsewhere by importlib-metadata, or Python's own.
"""

from __future__ import annotations

import os
import re
import sys
from functools import cache
from importlib import import_module

from batchcore.callables import named, plain
from batchcore.errors import PluginError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, Literal

OURS = {
    **{name: (name,) for name in ("dynamodb", "firehose", "kafka", "kinesis", "s3batch", "sqs")},
    "mq": ("activemq", "rabbitmq"),
    "pipes": ("pipes-dynamodb", "pipes-kafka", "pipes-kinesis", "pipes-mq", "pipes-sqs"),
}
"""The packages that are ours, each with its sources. Any other may be anybody's, so none is advised to install."""

_LONGEST = 200
"""Characters of a text of others in a message, at most."""


class Reading:
    """The entry points of one group, and what of the installed packages could not be read.

    Attributes:
        entry_points: what is registered, in the order of the path.
        by_name: name to the entry points of that name, each target once.
        unreadable: a sentence for each package whose entry points cannot be read. It may register anything.
    """

    def __init__(self, entry_points: Iterable[Any], unreadable: Sequence[str] = ()) -> None:
        self.entry_points = list(entry_points)
        self.unreadable = unreadable
        self.by_name: dict[str, list[Any]] = {}
        for entry_point in self.entry_points:
            same = self.by_name.setdefault(entry_point.name, [])
            if entry_point.value not in [other.value for other in same]:  # one package may be found on two paths
                same.append(entry_point)


def read(group: str) -> Reading:
    """Read the entry points of a group, now, with importlib-metadata where it is installed, else Python's own.

    Raises:
        PluginError: nothing can be read at all. The cause is chained.
    """
    try:
        import importlib_metadata as reader
    except ImportError:
        from importlib import metadata as reader  # type: ignore[no-redef]  # it reads the same
    metadata: Any = reader
    try:
        return Reading(metadata.entry_points(group=group))
    except Exception:  # one line that is wrong, of any package and in any group, makes all of it raise
        pass
    try:
        return _one_by_one(metadata.distributions(), group)
    except Exception as error:
        raise PluginError(
            f"What is installed cannot be read: {named(error, _LONGEST)}. Pass the source itself as event_type.",
            plugin=group,
        ) from error


def _one_by_one(distributions: Iterable[Any], group: str) -> Reading:
    """Read the packages one after the other, so that one that cannot be read costs itself alone."""
    entry_points: list[Any] = []
    unreadable: list[str] = []
    seen: set[str] = set()
    for distribution in distributions:
        name = field_of(distribution, "name")
        if name is not None:
            normalized = re.sub("[-_.]+", "-", name).lower()
            if normalized in seen:  # the first on the path is the one that is imported
                continue
            seen.add(normalized)
        try:
            entry_points += [entry for entry in distribution.entry_points if entry.group == group]
        except Exception as error:
            # No public attribute says where the metadata of a package without a name lies.
            package = plain(name or getattr(distribution, "_path", "an unknown package"))
            unreadable.append(
                f"The entry points of {package} cannot be read: {_fault(distribution, error)} Mend or uninstall it."
            )
    return Reading(entry_points, unreadable)


def _fault(distribution: Any, error: Exception) -> str:
    """Return what is wrong with the entry points of a package. The error itself does not always."""
    try:
        lines = [line.strip() for line in (distribution.read_text("entry_points.txt") or "").splitlines()]
    except Exception:
        lines = []
    for line in lines:
        if line and "=" not in line and not line.startswith(("#", "[")):
            return f"the line {line[:_LONGEST]!r} has no '='."
    if type(error) is ValueError:
        return f"{named(error, _LONGEST)}. (importlib-metadata before 8.7 and from 9.1 on reads past it.)"
    return f"{named(error, _LONGEST)}."


@cache
def registered(group: str) -> Reading:
    """Return what is registered in a group. It is read once per process."""
    plainly = _read_plainly(group)
    return read(group) if plainly is None else Reading(plainly)


# -- Without a reader of metadata.


class EntryPoint:
    """An entry point, as far as it is looked at here: see :class:`importlib.metadata.EntryPoint`."""

    def __init__(self, name: str, value: str, folder: str) -> None:
        self.name = name
        self.value = value
        self._folder = folder

    def load(self) -> Any:
        """Import what it names."""
        module, _, attributes = _object_of(self.value).partition(":")
        loaded: Any = import_module(module)
        for attribute in filter(None, attributes.split(".")):
            loaded = getattr(loaded, attribute)
        return loaded

    @property
    def dist(self) -> Any:
        """The package that registers it, for a message."""
        from importlib.metadata import Distribution

        return Distribution.at(self._folder)


def _read_plainly(group: str) -> list[EntryPoint] | None:
    """Read the entry points of a group as importlib.metadata would; None where anything is not as usual.

    Usual are packages that lie in folders of the path, each once, and files with nothing but sections and objects.
    """
    found: dict[str, list[EntryPoint]] = {}  # by the name of the package
    try:
        for name, folder in _folders_of_metadata():
            entries = list(_entries_of(folder, group))
            if name in found and (entries or found[name]):
                return None  # which of the two counts, others know
            found[name] = entries
    except (AttributeError, LookupError, OSError, TypeError, ValueError):
        return None
    return [entry for entries in found.values() for entry in entries]


def _folders_of_metadata() -> Iterator[tuple[str, str]]:
    """Yield name and metadata of each package, in the order of the path.

    Raises:
        LookupError: a finder of others is asked for packages too, or there may be some that lie elsewhere.
        OSError: so may there, in an archive say.
    """
    from importlib.machinery import PathFinder

    asked = [finder for finder in sys.meta_path if getattr(finder, "find_distributions", None)]
    if len(asked) != 1 or asked[0] is not PathFinder:
        raise LookupError
    for path in dict.fromkeys(sys.path):
        if path.lower().endswith(".egg"):
            raise LookupError
        try:
            names = os.listdir(path or ".")  # noqa: PTH208 - to import pathlib costs a millisecond
        except FileNotFoundError:
            continue
        for folder in names:
            if folder.lower().endswith((".dist-info", ".egg-info")):
                name = folder.rpartition(".")[0].partition("-")[0].lower().replace(".", "_")
                if not name or "__" in name or not folder.endswith((".dist-info", ".egg-info")):
                    raise LookupError  # its name is worked out in another way
                yield name, f"{path or '.'}/{folder}"


def _entries_of(folder: str, group: str) -> Iterator[EntryPoint]:
    """Yield the entry points of one package that are in a group.

    Raises:
        ValueError: of any group, one is none: a reader may read past it, or say what is wrong with it.
        OSError: the file cannot be read.
    """
    try:
        with open(f"{folder}/entry_points.txt", encoding="utf-8") as file:  # noqa: PTH123 - as above
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return
    section = None
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, equals, value = map(str.strip, line.partition("="))
            names = _object_of(value).replace(":", ".", 1).split(".")
            if section is None or not equals or not value.isascii() or not all(map(str.isidentifier, names)):
                raise ValueError
            if section == group:
                yield EntryPoint(name, value, folder)


def origins(entry_points: Iterable[Any]) -> str:
    """Return whose some entry points are, and what they name, for a message."""
    return " and ".join(sorted(map(origin, entry_points)))


def load(entry_point: Any, kind: str, error_class: Callable[..., PluginError]) -> Any:
    """Load what an entry point names; of a class, make an object.

    Raises:
        PluginError: an ``error_class``, where it does not load. The cause is chained.
    """
    try:
        loaded = entry_point.load()
        return loaded() if isinstance(loaded, type) else loaded
    except Exception as error:
        raise error_class(
            f"The {kind} {entry_point.name!r} is installed ({origin(entry_point)}) and fails to load: " + named(error),
            plugin=entry_point.name,
        ) from error


def origin(entry_point: Any) -> str:
    """Return whose an entry point is, and what it names."""
    package = field_of(getattr(entry_point, "dist", None), "name")
    return f"{package or 'an unknown package'}, {entry_point.value}"


def field_of(distribution: Any, field: Literal["name", "version"]) -> str | None:
    """Return the name or the version of a package, or None: deployment tools strip the metadata that has it."""
    try:
        value = getattr(distribution, field)
    except Exception:  # MetadataNotFound, KeyError, and what another finder of packages raises
        return None
    return value if isinstance(value, str) and value else None


def advice(name: str, known: Iterable[str]) -> str:
    """Return what to do about a name that no source has: which of those known was meant, or what to install."""
    known = set(known)
    meant = _meant(name, known)
    package_of = {source: package for package, sources in OURS.items() for source in sources}
    ours = name if name in {*package_of, *OURS} else _meant(name, {*known, *package_of, *OURS})
    if ours is not None and (ours == name or ours not in known):
        import importlib.util

        package = package_of.get(ours, ours)
        several = "" if ours in package_of else f"batchcore-{package} has {', '.join(OURS[package])}."
        if f"batchcore_{package}" in sys.modules or importlib.util.find_spec(f"batchcore_{package}") is not None:
            return (
                several or f"import batchcore_{package}: it is there, without the metadata that registers its source."
            )
        doubt = f"did you mean {meant!r}? Otherwise: " if meant else ""
        doubt = f"did you mean {ours!r}? " if ours in package_of and ours != name else doubt
        return f"{doubt}pip install batchcore-{package}. {several}".rstrip()
    if meant is not None:
        return f"did you mean {meant!r}?"
    return (
        "no package of batchcore has it. Another package registers its source in the entry-point group "
        "batchcore.sources; or pass the source itself as event_type."
    )


def _meant(name: str, known: Iterable[str]) -> str | None:
    """Return the name that was probably meant: ``sqs`` by ``SQS``, ``aws:sqs``, ``batchcore-sqs``, ``sqss``."""
    words = _words(name)
    given = "".join(words)
    by_letters = {"".join(_words(other)): other for other in sorted(known)}
    near = [
        letters
        for letters in by_letters
        if letters in (*words, re.sub("^(amazon|aws)", "", given))
        or (len(letters) > 2 and letters in given)
        or (len(given) > 2 and given in letters)
    ]
    if not near:
        import difflib

        near = difflib.get_close_matches(given, by_letters, 1)
    return by_letters[max(near, key=lambda letters: -abs(len(letters) - len(given)))] if near else None


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name[:_LONGEST].lower())


def lazy_import(name: str) -> str:
    """Return a hint where Python can import lazily: an import that has not happened has registered no source."""
    waiting = getattr(sys, "lazy_modules", None)  # from Python 3.15 on
    if waiting is None:
        return ""
    module = f"batchcore_{name}"
    if module in waiting:
        return f" {module} is imported lazily, and so has not registered its source: import it without lazy."
    return " A package that is imported lazily has not registered its source: import it without lazy."


def _object_of(value: str) -> str:
    """Return what the value of an entry point names, without the extras that it needs."""
    named, bracket, _ = value.partition("[")
    return named.rstrip() if bracket and value.endswith("]") else value
