"""The site in a real browser, on a desktop and on a telephone.

Each test keeps a screenshot in the folder that ``BATCHCORE_SCREENSHOTS`` names, for somebody to look at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .browser import CHROMIUM, DRIVER, Browser, driver
from .site import Site, served

WIDTHS = (1280, 390)
PAGES = {
    "start": "/",
    "how-to": "/failures/",
    "wide-tables": "/capabilities/",
    "pictures": "/responses/#kafka",
    "reference": "/reference/batchcore/",
    "hooks": "/reference/hooks/",
}
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="no browser: Debian has it as chromium and chromium-driver"
)

OVERFLOWS = """
const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
const scrolled = ".md-typeset__scrollwrap, pre, .highlight, .md-tabs, .md-search, .md-sidebar, .md-dialog";
const out = [...document.querySelectorAll(".md-content *")].filter(
    each => each.getBoundingClientRect().right > window.innerWidth + 1 && !each.closest(scrolled));
return [...(wide ? ["the page"] : []), ...out.map(each => each.outerHTML.slice(0, 100))];
"""
FOUND = """
const items = [...document.querySelectorAll(".md-search-result__item a.md-search-result__link")];
return items.map(each => each.getAttribute("href"));
"""
BROKEN_PICTURES = "return [...document.images].filter(each => each.naturalWidth === 0).map(each => each.src);"


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with served(site.folder) as where:
        yield where


@pytest.fixture(scope="module")
def webdriver() -> Iterator[str]:
    with driver() as where:
        yield where


@pytest.fixture(scope="module", params=WIDTHS, ids=lambda width: f"{width} pixels")
def browser(
    request: pytest.FixtureRequest, webdriver: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    window = Browser(webdriver, tmp_path_factory.mktemp("profile"), request.param)
    yield window
    window.close()


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = os.environ.get("BATCHCORE_SCREENSHOTS")
    folder = Path(given) if given else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_wide_as_the_window_and_complete(
    browser: Browser, address: str, screenshots: Path, name: str
) -> None:
    browser.open(address + PAGES[name])
    browser.screenshot(screenshots / f"{name}-{width_of(browser)}.png")

    assert browser.run(OVERFLOWS) == []
    assert browser.run(BROKEN_PICTURES) == []
    assert browser.errors() == []


def test_what_is_typed_into_the_search_is_found(browser: Browser, address: str, screenshots: Path) -> None:
    browser.open(f"{address}/")
    if width_of(browser) < 1000:
        browser.click("label.md-header__button[for=__search]")
    browser.wait_for("return document.querySelector('.md-search__input').offsetWidth > 100")
    browser.type(".md-search__input", "visibility timeout")
    found = browser.wait_for(FOUND)
    browser.screenshot(screenshots / f"search-{width_of(browser)}.png")

    # What explains it, before the reference.
    assert "guide/" in str(found)
    assert "reference/" not in found[0]
    assert browser.run(OVERFLOWS) == []
    assert browser.errors() == []


def test_the_navigation_can_be_opened(browser: Browser, address: str, screenshots: Path) -> None:
    browser.open(f"{address}/failures/")
    if width_of(browser) < 1000:
        browser.click("label.md-header__button[for=__drawer]")
    shown = (
        "const link = document.querySelector(\".md-nav a[href='../time/']\"); const at = link.getBoundingClientRect();"
    )
    browser.wait_for(f"{shown} return at.width > 0 && at.left >= 0 && at.right <= innerWidth")
    browser.screenshot(screenshots / f"navigation-{width_of(browser)}.png")


def test_a_page_that_is_too_wide_is_found(browser: Browser, address: str) -> None:
    browser.open(f"{address}/failures/")
    browser.run(
        "document.querySelector('.md-content p').innerHTML = '<b style=\"white-space: pre\">' + 'x '.repeat(999);"
    )

    assert browser.run(OVERFLOWS) != []


def width_of(browser: Browser) -> int:
    width: int = browser.run("return window.outerWidth;")
    return width
