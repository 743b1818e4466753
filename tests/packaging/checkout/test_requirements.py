"""Everything of development is pinned, with hashes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .files import ROOT

REQUIREMENTS = ROOT / "requirements"
PINNED = sorted(path.name for path in REQUIREMENTS.glob("*.txt"))
LISTS = ("demo.txt", "test.txt", "dev.txt")
PIN = re.compile(r"(?P<name>[a-z0-9-]+)(\[[a-z,]+\])?==(?P<version>[\w.]+)(?P<marker> ; .*)?")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}")


def pins(file: str) -> dict[str, tuple[str, ...]]:
    """Give each pin of a file with its hashes."""
    entries: dict[str, tuple[str, ...]] = {}
    pin = ""
    for line in (REQUIREMENTS / file).read_text(encoding="utf-8").splitlines():
        text = line.removesuffix(" \\")
        if text.startswith(" "):
            entries[pin] += (text,)
        else:
            pin = text
            entries[pin] = ()
    return entries


def names(file: str) -> set[str]:
    """Give the names of what a file pins."""
    return {re.split(r"[^\w.-]", pin)[0] for pin in pins(file)}


def wanted(file: str) -> set[str]:
    """Give the names that a file asks for, those of the files that it takes in included."""
    found: set[str] = set()
    for line in (REQUIREMENTS / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            found |= wanted(line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            found.add(re.split(r"[^\w.-]", line)[0])
    return found


def test_every_list_has_its_pins() -> None:
    lists = {path.stem for path in REQUIREMENTS.glob("*.in")}

    assert {f"{name}.txt" for name in lists} == set(PINNED) == {*LISTS, "docs.txt"}


@pytest.mark.parametrize("file", PINNED)
def test_each_is_one_version_with_hashes(file: str) -> None:
    entries = pins(file)

    assert [pin for pin in entries if not PIN.fullmatch(pin)] == []
    assert [pin for pin, hashes in entries.items() if not hashes or not all(map(HASH.fullmatch, hashes))] == []


@pytest.mark.parametrize("file", PINNED)
def test_what_is_asked_for_is_pinned(file: str) -> None:
    assert wanted(Path(file).stem + ".in") - names(file) == set()


def test_a_smaller_list_is_part_of_the_larger() -> None:
    # One environment is filled from both, one after the other.
    demo, test, dev = ({re.split(" ; ", pin)[0]: hashes for pin, hashes in pins(file).items()} for file in LISTS)

    assert demo.items() <= test.items() <= dev.items()


def test_the_list_of_the_site_takes_the_versions_of_development() -> None:
    # It goes into the same environment.
    site, dev = versions("docs.txt"), versions("dev.txt")

    assert {name: site[name] for name in site.keys() & dev.keys() if not site[name] <= dev[name]} == {}


def versions(file: str) -> dict[str, set[str]]:
    """Give the versions of each package that a file pins: one, or one for some Pythons and another for others."""
    found: dict[str, set[str]] = {}
    for pin in pins(file):
        name, _, version = pin.partition(" ; ")[0].partition("==")
        found.setdefault(name, set()).add(version)
    return found
