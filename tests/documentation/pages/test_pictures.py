"""The pictures of what becomes of a batch show what the code does, and stand where they belong."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from .page import ROOT
from .pictures import CASES, FOLDER, Case, drawn, run

PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("name", CASES)
def test_a_picture_is_current(name: str) -> None:
    """Draw them anew with ``python tests/documentation/pages/pictures.py``."""
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == drawn(CASES[name])


def test_every_picture_is_shown_with_words_for_those_who_do_not_see_it() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    shown = {name: words for words, name in re.findall(r"!\[([^\]]*)\]\(images/([\w-]+)\.svg\)", pages)}

    assert shown.keys() == CASES.keys() == {path.stem for path in FOLDER.iterdir()}
    assert [name for name, words in shown.items() if len(words) < 50] == []


@pytest.mark.parametrize("name", CASES)
def test_a_picture_needs_nothing_from_elsewhere(name: str) -> None:
    root = ET.fromstring((FOLDER / f"{name}.svg").read_text(encoding="utf-8"))

    assert {element.tag.partition("}")[2] for element in root.iter()} == {"svg", "style", "rect", "text"}
    assert "url(" not in "".join(root.itertext())


def test_a_record_that_fails_and_does_not_come_again_is_drawn_as_lost() -> None:
    assert ">lost<" in drawn(Case("sqs", [3], reports=False))
    assert ">lost<" not in drawn(Case("sqs", [3]))


def test_what_comes_again_is_asked_of_the_kit() -> None:
    assert run(Case("sqs", [2])).again == [False, True, False, False, False, False]
    assert run(Case("kinesis", [2])).again == [False, True, True, True, True, True]
