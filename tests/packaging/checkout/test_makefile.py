"""The Makefile has few verbs, and tells what they do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from .files import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PHONY = set(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split())


def test_every_verb_has_one_line_of_help() -> None:
    helped = re.findall(r"^([a-z-]+):.*## (.+)$", MAKEFILE, re.MULTILINE)

    assert sorted(verb for verb, _ in helped) == sorted(PHONY)
    assert len(PHONY) <= 12


def test_make_alone_prints_the_verbs_and_does_nothing() -> None:
    make = shutil.which("make")
    assert make is not None

    # Not as a part of the make that may run this test.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    printed = subprocess.run([make], check=True, capture_output=True, text=True, cwd=ROOT, env=variables).stdout

    assert {line.split()[1] for line in printed.splitlines()} == PHONY
