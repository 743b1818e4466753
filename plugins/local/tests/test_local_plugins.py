"""Pollers are found by name, and what is installed is listed with what of it does not load."""

from __future__ import annotations

import os
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

    def install(self, package: str, group: str, name: str, code: str) -> None:
        module = package.replace("-", "_")
        info = self.path / f"{module}-1.2.dist-info"
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


def test_the_command_batchcore_is_this_one() -> None:
    (script,) = {entry.load() for entry in entry_points(group="console_scripts", name="batchcore")}
    assert script is main
