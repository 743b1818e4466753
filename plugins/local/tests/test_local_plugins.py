"""Pollers are found by name, and what is installed is listed with what of it does not load."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from batchcore_local import SqsPoller, find_driver
from batchcore_local.cli import main


class Site:
    """A directory of installed packages, beside those of this interpreter."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def info(self, package: str) -> Path:
        """Return where the metadata of a package lies."""
        return self.path / f"{package.replace('-', '_')}-1.2.dist-info"

    def install(self, package: str, group: str, name: str, code: str) -> None:
        module = package.replace("-", "_")
        info = self.info(package)
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {module}:offered\n")
        (self.path / f"{module}.py").write_text(code)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(filter(None, [str(self.path), os.environ.get("PYTHONPATH")]))
        env = {**os.environ, "PYTHONPATH": path, "XDG_CACHE_HOME": str(self.path / "cache")}
        return subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, env=env, timeout=60, check=False
        )

    def plugins(self) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "batchcore_local", "plugins")

    def find(self, name: str) -> str:
        """Look for a poller in an interpreter of its own, and give the last line it prints."""
        process = self.run("-c", f"from batchcore_local import find_driver; print(find_driver({name!r}))")
        return (process.stdout + process.stderr).strip().splitlines()[-1]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


GOOD = "offered = object()\n"
BROKEN = "import a_module_that_nobody_has\n"


def test_the_poller_for_sqs_is_found_by_its_name() -> None:
    assert find_driver("sqs") is SqsPoller


def test_a_poller_of_another_package_is_found(site: Site) -> None:
    site.install("other-poller", "batchcore.local.pollers", "other", "offered = 'the other poller'\n")
    assert site.find("other") == "the other poller"


def test_a_poller_that_nobody_offers_is_an_error_that_lists_those_there_are(site: Site) -> None:
    last = site.find("kafka")
    assert last.endswith("PollerNotInstalledError: No poller named 'kafka' is installed; installed: sqs.")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (BROKEN, "ModuleNotFoundError: No module named 'a_module_that_nobody_has'"),
        ("assert False, 'unfit'\n", "AssertionError: unfit"),
        ("raise SystemExit('left')\n", "SystemExit: left"),
        ("", "AttributeError: "),
    ],
)
def test_a_poller_whose_package_is_broken_is_an_error_that_says_why(site: Site, code: str, why: str) -> None:
    site.install("broken-poller", "batchcore.local.pollers", "broken", code)
    last = site.find("broken")
    assert "PollerBrokenError: The poller 'broken' is installed" in last
    assert why in last


def test_a_poller_that_two_packages_offer_is_an_error_that_names_both(site: Site) -> None:
    site.install("one-poller", "batchcore.local.pollers", "shared", GOOD)
    site.install("two-poller", "batchcore.local.pollers", "shared", GOOD)
    assert site.find("shared").endswith(
        "AmbiguousPollerError: 2 packages offer the poller 'shared': one_poller:offered, two_poller:offered."
    )


def test_a_broken_neighbour_does_not_hinder_a_poller(site: Site) -> None:
    site.install("broken-poller", "batchcore.local.pollers", "broken", BROKEN)
    assert "SqsPoller" in site.find("sqs")


def test_the_list_shows_sources_plugins_and_pollers_with_their_packages(site: Site) -> None:
    site.install("good-source", "batchcore.sources", "good", GOOD)
    site.install("good-observer", "batchcore.plugins", "watch", GOOD)
    process = site.plugins()
    lines = [line.split() for line in process.stdout.splitlines()]
    assert process.returncode == 0, process.stdout + process.stderr
    assert ["good", "good-source", "1.2", "good_source:offered"] in lines
    assert ["watch", "good-observer", "1.2", "good_observer:offered"] in lines
    assert ["sqs", "batchcore-local", "0.1.0", "batchcore_local.sqs:SqsPoller"] in lines
    assert lines.index(["sources", "(batchcore.sources)"]) < lines.index(["pollers", "(batchcore.local.pollers)"])


@pytest.mark.parametrize("code", [BROKEN, "assert False, 'unfit'\n", "raise SystemExit\n"])
def test_what_does_not_load_is_listed_with_the_reason_hides_nothing_else_and_exits_with_1(
    site: Site, code: str
) -> None:
    site.install("good-source", "batchcore.sources", "good", GOOD)
    site.install("broken-source", "batchcore.sources", "broken", code)
    process = site.plugins()
    lines = process.stdout.splitlines()
    (at,) = [number for number, line in enumerate(lines) if "broken_source:offered" in line]
    assert process.returncode == 1
    assert lines[at + 1].split()[:3] == ["does", "not", "load:"]
    assert lines[at + 1].split()[3] in ("ModuleNotFoundError:", "AssertionError:", "SystemExit:")
    assert any("good_source:offered" in line for line in lines)
    assert any("batchcore_local.sqs:SqsPoller" in line for line in lines)
    assert process.stderr == ""


def test_a_name_that_two_packages_offer_is_listed_as_one_that_cannot_be_chosen(site: Site) -> None:
    site.install("one-source", "batchcore.sources", "shared", GOOD)
    site.install("two-source", "batchcore.sources", "shared", GOOD)
    process = site.plugins()
    assert process.returncode == 1
    assert process.stdout.count("cannot be chosen: 2 packages offer the name 'shared'") == 2


def test_a_group_that_nobody_uses_is_shown_as_empty(site: Site) -> None:
    lines = [line.strip() for line in site.plugins().stdout.splitlines()]
    if not entry_points(group="batchcore.plugins"):
        assert lines[lines.index("plugins (batchcore.plugins)") + 1] == "none"


# What changes between two looks.


def test_what_is_installed_after_a_look_is_found_by_the_next(site: Site) -> None:
    site.install("one-source", "batchcore.sources", "one", GOOD)
    assert "one_source:offered" in site.plugins().stdout

    site.install("two-source", "batchcore.sources", "two", GOOD)
    site.install("two-poller", "batchcore.local.pollers", "two", "offered = 'the second poller'\n")

    process = site.plugins()
    assert "two_source:offered" in process.stdout
    assert "two_poller:offered" in process.stdout
    assert site.find("two") == "the second poller"


def test_an_entry_point_that_is_added_to_a_package_after_a_look_is_found_by_the_next(site: Site) -> None:
    site.install("one-source", "batchcore.sources", "one", "offered = again = object()\n")
    assert "one_source:offered" in site.plugins().stdout

    entry_points = site.info("one-source") / "entry_points.txt"
    entry_points.write_text(f"{entry_points.read_text()}again = one_source:again\n")

    process = site.plugins()
    assert "one_source:again" in process.stdout
    assert process.returncode == 0


def test_what_is_uninstalled_after_a_look_is_gone_at_the_next(site: Site) -> None:
    site.install("one-poller", "batchcore.local.pollers", "one", GOOD)
    assert "one_poller:offered" in site.plugins().stdout

    shutil.rmtree(site.info("one-poller"))

    assert "one_poller:offered" not in site.plugins().stdout
    assert "PollerNotInstalledError" in site.find("one")


def test_what_is_installed_while_a_program_runs_is_found_by_it(site: Site) -> None:
    program = f"""
import pathlib, sys
from batchcore_local import PollerNotInstalledError, find_driver
from batchcore_local.installed import list_installed
try:
    find_driver("late")
except PollerNotInstalledError:
    print(len([item for item in list_installed("batchcore.local.pollers") if item.name == "late"]))
pathlib.Path({str(site.path / "late.py")!r}).write_text("offered = 'late'")
info = pathlib.Path({str(site.info("late"))!r})
info.mkdir()
(info / "METADATA").write_text("Name: late\\nVersion: 1.2\\n")
(info / "entry_points.txt").write_text("[batchcore.local.pollers]\\nlate = late:offered\\n")
print(find_driver("late"))
print([item.package for item in list_installed("batchcore.local.pollers") if item.name == "late"])
"""
    process = site.run("-c", program)
    assert process.stdout.splitlines() == ["0", "late", "['late 1.2']"], process.stderr


# Packages whose metadata is stripped or wrong.


@pytest.mark.parametrize(
    ("metadata", "shown"),
    [
        (None, "unknown package"),
        ("", "unknown package"),
        ("Metadata-Version: 2.1\nVersion: 1.2\n", "unknown package"),
        ("Metadata-Version: 2.1\nName: good-source\n", "good-source without a version"),
    ],
)
def test_a_package_without_metadata_is_listed_all_the_same(site: Site, metadata: str | None, shown: str) -> None:
    site.install("good-source", "batchcore.sources", "good", GOOD)
    file = site.info("good-source") / "METADATA"
    file.unlink() if metadata is None else file.write_text(metadata)

    process = site.plugins()

    (line,) = [line for line in process.stdout.splitlines() if "good_source:offered" in line]
    assert line.split() == ["good", *shown.split(), "good_source:offered"]
    assert (process.returncode, process.stderr) == (0, "")


def test_a_value_that_names_nothing_is_listed_with_the_reason(site: Site) -> None:
    site.install("good-source", "batchcore.sources", "good", GOOD)
    site.install("odd-source", "batchcore.sources", "odd", GOOD)
    (site.info("odd-source") / "entry_points.txt").write_text("[batchcore.sources]\nodd = not an object!\n")

    process = site.plugins()

    lines = process.stdout.splitlines()
    (at,) = [number for number, line in enumerate(lines) if "not an object!" in line and "odd-source" in line]
    assert lines[at + 1].split()[:3] == ["does", "not", "load:"]
    assert any("good_source:offered" in line for line in lines)
    assert (process.returncode, process.stderr) == (1, "")


def test_a_package_whose_entry_points_cannot_be_read_is_named_and_hides_nothing_else(site: Site) -> None:
    site.install("good-source", "batchcore.sources", "good", GOOD)
    site.install("odd-package", "other.group", "odd", GOOD)
    (site.info("odd-package") / "entry_points.txt").write_text("[other.group]\nno value\n")

    process = site.plugins()

    assert "good_source:offered" in process.stdout
    sentence = "The entry points of odd-package cannot be read: the line 'no value' has no '='. Mend or uninstall it."
    assert process.stdout.splitlines().count(sentence) == 1
    assert (process.returncode, process.stderr) == (1, "")
    assert "SqsPoller" in site.find("sqs")
    assert site.find("kafka").endswith(f"installed: sqs. {sentence}")


def test_the_command_batchcore_is_this_one() -> None:
    (script,) = {entry.load() for entry in entry_points(group="console_scripts", name="batchcore")}
    assert script is main
