"""A drift report's page in a real browser: it asks for nothing, runs nothing of the data's, and fits a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mldata.drift.page import drift_page
from tests.browser import BROWSER, Browser, open_browser
from tests.drift.test_renderers import hostile, large

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all."""
    with open_browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_asks_for_nothing_and_complains_of_nothing(
    browser: Browser, tmp_path: Path, width: int, dark: bool
) -> None:
    """Wide or narrow, light or dark, all that is folded opened, it asks for nothing but itself and is no wider than the screen; names run nothing."""
    page = tmp_path / "page.html"
    page.write_text(drift_page(hostile()), encoding="utf-8")
    browser.open(page, width=width, dark=dark)
    browser.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true; })")
    assert browser.complaints() == [] and browser.requests() == [page.as_uri()]
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate("document.querySelectorAll('script,img,iframe,[onerror]').length") == 0
    pictures = (
        "[...document.querySelectorAll('main svg[role=img]')].every(it => it.getAttribute('aria-label'))"
    )
    assert browser.evaluate(pictures)


def test_a_line_leads_to_its_column(browser: Browser, tmp_path: Path) -> None:
    """By keyboard alone: the first link of the table brings the plot of the worst column into sight."""
    page = tmp_path / "page.html"
    page.write_text(drift_page(large(300)), encoding="utf-8")
    browser.open(page)
    browser.evaluate("document.querySelector('.lines a').focus()")
    browser.press("Enter")
    assert browser.evaluate("location.hash") == "#column-0"
    seen = "(it => it.top >= 0 && it.bottom <= innerHeight)(document.querySelector('#column-0 svg').getBoundingClientRect())"
    assert browser.evaluate(seen)
