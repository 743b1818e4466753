"""What is done to a page on its way to the site: hidden checks go, and links are made to lead somewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .site import CONFIG, ROOT

if not CONFIG.is_file() or sys.version_info < (3, 11):
    pytest.skip("the site is no part of a copy of the tests, and needs Python 3.11", allow_module_level=True)

from website import navigation, pages

REPOSITORY = "https://example.org/batchcore"


@pytest.mark.parametrize(
    ("page", "link", "on_site"),
    [
        ("guide.md", "[a](time.md#limits)", "[a](time.md#limits)"),
        ("guide.md", "[a](#limits)", "[a](#limits)"),
        ("guide.md", "[a](https://x.org/y)", "[a](https://x.org/y)"),
        ("guide.md", "[a](../plugins/sqs/README.md#back-off)", "[a](packages/sqs.md#back-off)"),
        ("guide.md", "[a](../examples/README.md)", "[a](examples.md)"),
        ("guide.md", "[a](../README.md)", "[a](README.md)"),
        ("packages/sqs.md", "[a](../../docs/time.md)", "[a](../time.md)"),
        ("packages/sqs.md", "[a](../kinesis/README.md)", "[a](kinesis.md)"),
        ("examples.md", "[a](../docs/time.md)", "[a](time.md)"),
    ],
)
def test_a_link_to_a_page_of_the_site_leads_there(page: str, link: str, on_site: str) -> None:
    assert pages.prepared(link, page, "") == on_site == pages.prepared(link, page, REPOSITORY)


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("[a](../examples/orders/app.py)", "examples/orders/app.py"),
        ('[a](../tests/engine/test_lanes.py "test_x")', "tests/engine/test_lanes.py"),
        ('[a\nb](../tests/engine/test_lanes.py\n"test_x")', "tests/engine/test_lanes.py"),
        ("[a](../README.md#read-on)", "README.md"),
    ],
)
def test_any_other_link_leads_to_the_repository(link: str, path: str) -> None:
    text = link.partition("]")[0]
    assert pages.prepared(link, "guide.md", REPOSITORY) == f"{text}]({REPOSITORY}/blob/main/{path})"


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("[the orders](../examples/orders/app.py)", "the orders (`examples/orders/app.py`)"),
        ("[`app.py`](../examples/orders/app.py)", "`examples/orders/app.py`"),
        (
            '[A test](../tests/engine/test_lanes.py "test_x") shows',
            '<span class="elsewhere" title="tests/engine/test_lanes.py: test_x">A test</span> shows',
        ),
    ],
)
def test_it_says_the_path_while_the_repository_has_no_address(link: str, said: str) -> None:
    assert pages.prepared(link, "guide.md", "") == said


@pytest.mark.parametrize(
    "text",
    ["```text\n[a](../gone.py)\n<!-- check\n-->\n```\n", "`[a](../gone.py)`", "- x:\n\n  ```\n  [a](../b)\n  ```\n"],
)
def test_code_stays_as_it_is(text: str) -> None:
    assert pages.prepared(text, "guide.md", REPOSITORY) == text


def test_what_readers_do_not_see_is_left_out() -> None:
    text = "One.\n\n<!-- check\nassert True\n\nassert [1]\n-->\n\n<!-- raises X -->\n```python\nf()\n```\n"

    assert pages.prepared(text, "guide.md", "") == "One.\n\n\n```python\nf()\n```\n"


FIRST = """
## Tutorial
| [One](one.md) | x |
## How-to
| | |
| --- | --- |
| [Two](two.md) | see [x](no.md) |
| [Three](../examples/README.md) | |
## Reference
| [Four](four.md) | |
## Explanation
| [Five](five.md) | |
"""


def test_the_navigation_is_what_the_first_page_lists() -> None:
    assert navigation.of(FIRST, {"Reference": [{"API": "api.md"}]}) == [
        {"Start": "README.md"},
        {"Tutorial": [{"One": "one.md"}]},
        {"How-to": [{"Two": "two.md"}, {"Three": "examples.md"}]},
        {"Reference": [{"Four": "four.md"}, {"API": "api.md"}]},
        {"Explanation": [{"Five": "five.md"}]},
    ]


def test_a_part_without_a_page_is_an_error() -> None:
    with pytest.raises(ValueError, match="'## Explanation'"):
        navigation.of(FIRST.replace("five", "a#b"), {})


def test_every_page_outside_of_docs_that_the_site_has_is_there() -> None:
    assert [path for path in pages.MOUNTED if not Path(ROOT, path).is_file()] == []
    assert len(pages.PACKAGES) == len(list(ROOT.glob("plugins/*/README.md"))) > 10
