"""The Pythons of this machine, and an environment with AWS's runtime client and our packages in each.

The running Python is used as it is. For every other supported version that is found a virtual environment is made once
and kept in ``.cache/`` of the checkout, until what is installed in it changes.

Variables:
    BATCHCORE_RUNTIME_PYTHONS: ``running`` for the running Python alone, or versions (``3.12,3.13``) besides it.
        By default every supported version that is found.
    BATCHCORE_WHEELS: a folder of our wheels to install; by default the source tree is, in editable form.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SUPPORTED = ("3.10", "3.11", "3.12", "3.13", "3.14", "3.15")
CLIENT = "awslambdaric"
ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "runtime"
PLUGINS = ("sqs", "kinesis", "dynamodb", "kafka", "mq", "firehose", "s3batch", "pipes", "emf", "logs")
BUILD_BACKEND = ("hatchling", "editables")

_PROBE = "import ensurepip, sys, venv; print(*sys.version_info[:3], sys.implementation.name)"


class Interpreter(NamedTuple):
    """One Python.

    Attributes:
        version: as in ``3.12``.
        executable: where it is.
        running: whether it is the one that runs the tests.
    """

    version: str
    executable: str
    running: bool


class Environment(NamedTuple):
    """A Python that can run a function.

    Attributes:
        python: its executable.
        variables: what its processes get as environment.
        client: the version of the runtime client.
    """

    python: str
    variables: Mapping[str, str]
    client: str


class CommandError(Exception):
    """A command failed. The message holds what it said."""


class UnavailableError(Exception):
    """This Python cannot run a function here, for a reason that is not ours."""


def running_interpreter() -> Interpreter:
    """Give the Python that runs the tests."""
    return Interpreter("{}.{}".format(*sys.version_info[:2]), sys.executable, running=True)


def found_interpreters(variables: Mapping[str, str] = os.environ) -> list[Interpreter]:
    """Give the running Python, then one Python of each other supported version that is found."""
    running = running_interpreter()
    wanted = variables.get("BATCHCORE_RUNTIME_PYTHONS", "")
    versions = re.findall(r"3\.\d+", wanted) or ([] if wanted == "running" else SUPPORTED)
    others = (_first_that_works(version, variables) for version in versions if version != running.version)
    return [running, *(other for other in others if other is not None)]


def _first_that_works(version: str, variables: Mapping[str, str]) -> Interpreter | None:
    for candidate in _candidates(version, variables):
        try:
            answer = subprocess.run([candidate, "-c", _PROBE], check=False, capture_output=True, text=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            continue
        # A shim of pyenv exists for versions that are not switched on; and an interpreter may lack venv.
        if answer.returncode == 0 and answer.stdout.split()[:2] == version.split("."):
            return Interpreter(version, candidate, running=False)
    return None


def _candidates(version: str, variables: Mapping[str, str]) -> Iterator[str]:
    name = f"python{version}"
    root = Path(variables.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = sorted(
        (folder for folder in root.glob(f"versions/{version}*") if re.fullmatch(r"[\d.]+", folder.name)),
        key=lambda folder: [int(part) for part in folder.name.split(".")],
        reverse=True,
    )
    for folder in (*(folder / "bin" for folder in folders), *map(Path, variables.get("PATH", "").split(os.pathsep))):
        if os.access(folder / name, os.X_OK):
            yield str(folder / name)


def environment_of(interpreter: Interpreter) -> Environment:
    """Give the environment to run functions in, made now if it is not there.

    Raises:
        UnavailableError: it is another Python than the running one, and the client cannot be had for it.
        metadata.PackageNotFoundError: the running Python has no client.
        CommandError: our packages cannot be installed.
    """
    if interpreter.running:
        return Environment(interpreter.executable, dict(os.environ), metadata.version(CLIENT))
    client = _client_requirement()
    ours = _our_packages()
    key = hashlib.sha256("\0".join([interpreter.executable, client, *_fingerprint(ours)]).encode()).hexdigest()[:12]
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE.parent / ".gitignore").write_text("*\n")
    folder = CACHE / f"{interpreter.version}-{key}"
    with (CACHE / f"{interpreter.version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            for old in CACHE.glob(f"{interpreter.version}-*"):
                shutil.rmtree(old)
            _make(folder, interpreter, client, ours)
    return Environment(str(folder / "bin" / "python"), _clean_variables(), (folder / "complete").read_text())


def _make(folder: Path, interpreter: Interpreter, client: str, ours: list[str]) -> None:
    python = str(folder / "bin" / "python")
    _run([interpreter.executable, "-m", "venv", str(folder)])
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", "install"]
    try:
        _run([*pip, f"--only-binary={CLIENT}", client, *BUILD_BACKEND])
    except CommandError as error:
        last = str(error).splitlines()[-1]
        raise UnavailableError(f"pip got no {CLIENT} for Python {interpreter.version}: {last}") from error
    _run([*pip, "--no-build-isolation", *ours])
    version = _run([python, "-c", f"from importlib.metadata import version; print(version({CLIENT!r}))"]).strip()
    (folder / "complete").write_text(version)


def _client_requirement() -> str:
    """Ask for the client that the running Python has, or the newest older one that has a wheel for the other Python."""
    try:
        return f"{CLIENT}<={metadata.version(CLIENT)}"
    except metadata.PackageNotFoundError:
        return CLIENT


def _our_packages() -> list[str]:
    """Give the arguments for pip that install our packages: wheels, or the source tree."""
    wheels = os.environ.get("BATCHCORE_WHEELS")
    if wheels:
        found = sorted(str(path) for path in Path(wheels).resolve().glob("batchcore*.whl") if _is_needed(path))
        if not found:
            raise FileNotFoundError(f"BATCHCORE_WHEELS names {wheels}, and no wheel of ours is there.")
        return found
    if not (ROOT / "pyproject.toml").exists():
        raise UnavailableError("there is neither a source tree nor BATCHCORE_WHEELS to install our packages from")
    return [f"--editable={folder}" for folder in (ROOT, *(ROOT / "plugins" / name for name in PLUGINS))]


def _is_needed(wheel: Path) -> bool:
    return wheel.name.split("-")[0] in ("batchcore", *(f"batchcore_{name}" for name in PLUGINS))


def _fingerprint(ours: list[str]) -> list[str]:
    """Name what is installed by what it holds: a wheel by its content, an editable package by its build metadata."""
    paths = [Path(argument.removeprefix("--editable=")) for argument in ours]
    files = [path / "pyproject.toml" if path.is_dir() else path for path in paths]
    return [f"{path} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files]


def _clean_variables() -> dict[str, str]:
    """Give this process's environment without what would show another Python the packages of this one."""
    return {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    }


def _run(command: list[str]) -> str:
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=_clean_variables(), stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise CommandError(f"{' '.join(command)} ended with {done.returncode}.\n{done.stderr.strip()}")
    return done.stdout
