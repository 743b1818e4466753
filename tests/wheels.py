"""Make a folder of wheels, from which an environment can be filled without a network.

``python tests/wheels.py FOLDER`` puts there, as wheels:

- our own packages: those of the folder that ``BATCHCORE_WHEELS`` names, or else built now from the checkout;
- what they need, what their tests need and what builds a package: packed again from the files that are installed in the
  environment of this Python, so that each is what the pinned requirements have chosen.

An environment that is filled from the folder has nothing of the source tree in reach, and pip runs as it does anywhere,
told by ``PIP_NO_INDEX`` and ``PIP_FIND_LINKS`` where to look.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
OURS = {
    "batchcore": ROOT,
    "batchcore-sqs": ROOT / "plugins" / "sqs",
    "batchcore-testing": ROOT / "plugins" / "testing",
}
NEEDED = ("batchcore-testing", "batchcore-sqs", "hatchling", "editables")
# What an installer writes anew.
OF_THE_INSTALLER = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")


def main(folder: Path) -> None:
    """Fill a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    ours = {name: provide(name, project, folder) for name, project in OURS.items()}
    for distribution in needed(ours):
        pack(distribution, folder)


def provide(name: str, project: Path, folder: Path) -> metadata.Distribution:
    """Copy a wheel of ours, or build it, and give what it says of itself.

    Raises:
        FileNotFoundError: ``BATCHCORE_WHEELS`` is set, and the wheel is not there.
    """
    given, pattern = os.environ.get("BATCHCORE_WHEELS"), f"{name.replace('-', '_')}-*.whl"
    if given:
        found = list(Path(given).glob(pattern))
        if len(found) != 1:
            raise FileNotFoundError(f"BATCHCORE_WHEELS names {given}; of {pattern} there are {len(found)}, not one.")
        shutil.copy(found[0], folder)
    else:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        subprocess.run(command, check=True, capture_output=True, cwd=project)
    (wheel,) = folder.glob(pattern)
    (about,) = (path for path in zipfile.Path(wheel).iterdir() if path.name.endswith(".dist-info"))
    return metadata.PathDistribution(about)


def needed(ours: Mapping[str, metadata.Distribution]) -> Iterator[metadata.Distribution]:
    """Give what is needed and not ours, each once, as it is installed here."""
    waiting, seen = [Requirement(text) for text in NEEDED], set[tuple[str, str]]()
    given: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        distribution = ours[name] if name in ours else metadata.distribution(name)
        for extra in {"", *wanted.extras} - {extra for other, extra in seen if other == name}:
            seen.add((name, extra))
            others = map(Requirement, distribution.requires or ())
            waiting += [other for other in others if other.marker is None or other.marker.evaluate({"extra": extra})]
        if name not in ours and name not in given:
            given.add(name)
            yield distribution


def pack(distribution: metadata.Distribution, folder: Path) -> None:
    """Make a wheel of what is installed. The scripts beside it are left out: an installer makes them from entry points.

    Raises:
        ValueError: it was not installed from a wheel.
    """
    about = distribution.read_text("WHEEL")
    if about is None or distribution.files is None:
        raise ValueError(f"{distribution.name} is not installed as a wheel would be.")
    files = [
        file
        for file in distribution.files
        if ".." not in file.parts and "__pycache__" not in file.parts and file.name not in OF_THE_INSTALLER
    ]
    (information,) = {file.parts[0] for file in files if file.parts[0].endswith(".dist-info")}
    tag = re.findall(r"^Tag: (.+)$", about, re.MULTILINE)[0]
    name = f"{information.removesuffix('.dist-info')}-{tag}.whl"
    with zipfile.ZipFile(folder / name, "w") as wheel:
        for file in files:
            wheel.write(file.locate(), file.as_posix())
        rows = [f"{file.as_posix()},{_hash(file)},{file.size or ''}\n" for file in files]
        wheel.writestr(f"{information}/RECORD", "".join((*rows, f"{information}/RECORD,,\n")))


def _hash(file: metadata.PackagePath) -> str:
    return f"{file.hash.mode}={file.hash.value}" if file.hash else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
