"""The pages use the words of the glossary, and none of those that these have replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .page import ROOT

GLOSSARY = ROOT / "docs" / "glossary.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TERMS = re.findall(r"^### (.+)$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)

# What is no prose: blocks of code, comments that a reader does not see, code in a line, what a link leads to.
NO_PROSE = re.compile(r"^(```+).*?^\1$|<!--.*?-->|`[^`]+`|\]\([^)\s]+(?:\s+\"[^\"]*\")?\)", re.MULTILINE | re.DOTALL)
REPLACED = {
    r"\broads?\b": "engine",
    r"\bslots?\b": "record, or its position",
    r"\buntold\b": "not notified",
    r"\bleft behind\b": "abandoned",
    r"(?<!\bdead )(?<!\bdead-)\bletters\b": "dead letters",
    r"\bpark(s|ed|ing)?\b": "blocked",
    r"\bwith(held|holds?)\b": "deferred",
    r"(?<!\bstep by )\bsteps?\b(?! by step\b)": "batch hook",
    r"(\b(the|an|its|this|that|each|every|no|partial|whose|same|of)|'s) answers?\b": "response",
    r"\bput(s|ting)? (\w+ ){0,3}aside\b": "dead letter",
}


def prose_of(text: str) -> str:
    """Give what a page says in sentences, on one line, without emphasis."""
    return " ".join(NO_PROSE.sub(" ", text).replace("*", "").split())


def replaced_in(text: str) -> Iterator[str]:
    """Name each word that the glossary replaces, with what stands before it, and the word to use."""
    for pattern, instead in REPLACED.items():
        for match in re.finditer(pattern, text, re.IGNORECASE):
            yield f"{text[max(0, match.start() - 40) : match.end()]} -> {instead}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_page_uses_a_word_that_the_glossary_replaces(page: Path) -> None:
    assert list(replaced_in(prose_of(page.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("term", TERMS)
def test_a_term_of_the_glossary_is_used(term: str) -> None:
    used = re.compile(rf"\b{term}(s|es)?\b", re.IGNORECASE)
    users = [page for page in PAGES if page != GLOSSARY and used.search(prose_of(page.read_text(encoding="utf-8")))]
    assert users


def test_each_term_is_explained_in_at_most_three_sentences() -> None:
    sections = re.split(r"^### .+$", GLOSSARY.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    long = [term for term, text in zip(TERMS, sections, strict=True) if sentences_of(text) > 3]
    assert len(TERMS) >= 12
    assert long == []


def sentences_of(text: str) -> int:
    """Count the sentences of a section, up to the next heading."""
    return len(re.findall(r"\.(?=\s|$)", text.partition("\n#")[0]))


@pytest.mark.parametrize(
    "page", ["README.md", *(f"docs/{name}.md" for name in ("ordering", "failures", "time", "batches", "hooks"))]
)
def test_the_pages_lead_to_the_glossary(page: str) -> None:
    assert "glossary.md#" in (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A step before the records", ["batch hook"]),
        ("*What still runs* is left\nbehind", ["abandoned"]),
        ("the answer of AWS, and an answer", ["response", "response"]),
        ("the function answers; no letters, but dead letters", ["dead letters"]),
        ("It goes step by step, and puts the record aside", ["dead letter"]),
        ('`step`\n```text\nthe road\n```\n[a link](road.md "the step")', []),
    ],
)
def test_a_word_that_is_replaced_is_found(text: str, found: list[str]) -> None:
    assert [line.rpartition(" -> ")[2] for line in replaced_in(prose_of(text))] == found
