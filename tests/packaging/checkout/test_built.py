"""What is built holds what belongs, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from .files import PACKAGES, PROJECTS, ROOT

IDS = [Path(package).name for package in PACKAGES]
BESIDE_THE_PACKAGE = {"tests", "PKG-INFO", "README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", ".gitignore"}


@pytest.mark.parametrize(("project", "package"), list(zip(PROJECTS, PACKAGES, strict=True)), ids=IDS)
def test_a_distribution_holds_its_package_and_nothing_else(project: Path, package: str, tmp_path: Path) -> None:
    name = Path(package).name

    wheel, source = build(project, tmp_path)

    with zipfile.ZipFile(wheel) as archive:
        inside = {entry for entry in archive.namelist() if ".dist-info/" not in entry}
        about = {Path(entry).name for entry in archive.namelist() if ".dist-info/" in entry}
    with tarfile.open(source) as archive:
        beside = {Path(entry).parts[1] for entry in archive.getnames()}
    assert inside == files_of(ROOT / package)
    assert f"{name}/py.typed" in inside
    assert {"METADATA", "LICENSE", "RECORD"} <= about
    assert beside - BESIDE_THE_PACKAGE == {name}


def build(project: Path, folder: Path) -> tuple[Path, Path]:
    """Build a source distribution, and a wheel from it, as an index would get them."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--quiet", "--outdir", str(folder), str(project)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


def files_of(package: Path) -> set[str]:
    """Name the files of a package that belong into its wheel."""
    files = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(package.parent).as_posix() for path in files}
