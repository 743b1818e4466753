"""Run every mutant against the tests that must notice it: ``python -m tests.mutants`` from the root of the checkout.

Words choose some of them: ``python -m tests.mutants lanes.py "random batches"`` runs those of a file, or of a promise.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import kit, listed, random_batches
from .mutant import PACKAGES, ROOT, Mutant, NoMatchError, SeveralMatchError, apply

ALL = (*listed.MUTANTS, *random_batches.MUTANTS, *kit.MUTANTS)
MUTANTS = tuple(m for m in ALL if len(sys.argv) < 2 or any(word in f"{m.file} {m.breaks}" for word in sys.argv[1:]))
PASSED, FAILED, NONE_SELECTED = 0, 1, 5  # exit codes of pytest
LIMIT = 120  # seconds; a mutant that makes a test wait for ever is killed as well


def main() -> int:
    """Print a line for each mutant, and a closing line; 0 if all are killed by tests that pass without them."""
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as workers:
        unchanged = _copy(Path(scratch), "unchanged")
        named = {m.where: " or ".join(sorted({n.tests for n in MUTANTS if n.where == m.where})) for m in MUTANTS}
        ends = dict(zip(named, workers.map(lambda one: _end_of_tests(unchanged, *one), named.items()), strict=True))
        verdicts = list(workers.map(lambda m: _verdict(m, ends[m.where], Path(scratch)), MUTANTS))
    for mutant, verdict in zip(MUTANTS, verdicts, strict=True):
        print(f"{verdict:<10} {mutant.file:<38} {mutant.breaks}")
    survived = sum(verdict != "killed" for verdict in verdicts)
    print(f"{len(verdicts) - survived} passed, {survived} failed")
    return 1 if survived or not verdicts else 0


def _verdict(mutant: Mutant, unchanged: int, scratch: Path) -> str:
    if unchanged != PASSED:
        return "UNSOUND"  # one of the tests named for this file fails without any mutant
    folder = _copy(scratch, f"mutant-{MUTANTS.index(mutant)}")
    try:
        apply(mutant, folder)
    except NoMatchError:
        return "NO MATCH"
    except SeveralMatchError:
        return "AMBIGUOUS"
    end = _end_of_tests(folder, mutant.where, mutant.tests)
    shutil.rmtree(folder)
    # A mutant that does not even load kills itself: that shows nothing of the tests.
    return {FAILED: "killed", PASSED: "SURVIVED", NONE_SELECTED: "NO TEST"}.get(end, "NO RUN")


def _copy(scratch: Path, name: str) -> Path:
    folder = scratch / name
    for package, place in PACKAGES.items():
        shutil.copytree(place, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _end_of_tests(folder: Path, where: str, tests: str) -> int:
    """Run tests with the folder's copies of the core and the kit, and give pytest's exit code.

    The folder comes first on the path, before the checkout and its packages.
    """
    path = os.pathsep.join(map(str, (folder, ROOT, *sorted((ROOT / "plugins").iterdir()))))
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    command += ["--rootdir", str(ROOT), str(ROOT / "tests" / where), "-k", tests]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_PROFILE": "unshrunk", "PYTHONPATH": path}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return FAILED
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
