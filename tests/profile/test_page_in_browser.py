"""A profile's page in a real browser: it asks for nothing, runs nothing of the data's, and works by keyboard, in the dark, on a phone, and without its script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mldata.profile.page import profile_page
from mldata.profile.profile import Picture, Preview
from tests.browser import BROWSER, Browser, open_browser
from tests.profile.test_page import EVIL, penguins

pytestmark = [pytest.mark.slow, pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")]
SHOWN = "[...document.querySelectorAll('#cards > article')].filter(it => !it.hidden).map(it => it.id)"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a small table with a hostile name and a picture."""
    file = tmp_path_factory.mktemp("page") / "page.html"
    made = penguins()
    columns = [replace(made.columns[0], name=f"{EVIL}<svg onload=alert(1)>"), *made.columns[1:]]
    media = Preview(("a",), ((EVIL,),), (Picture("dot", "image/png", PNG), Picture("beep", "audio/wav", WAV)))
    file.write_text(profile_page(replace(made, columns=columns, preview=media)), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all."""
    with open_browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
WAV = (
    b"RIFF"
    + (36 + 800).to_bytes(4, "little")
    + b"WAVEfmt "
    + bytes.fromhex("1000000001000100401f0000401f000001000800")
    + b"data"
    + (800).to_bytes(4, "little")
    + bytes([128]) * 800
)


@pytest.mark.parametrize("width", [1280, 400])
def test_asks_for_nothing_and_complains_of_nothing(browser: Browser, page: Path, width: int) -> None:
    """Opened wide or narrow, it runs without an error, asks for nothing but itself, and is no wider than the screen; its pictures and sounds are decoded."""
    browser.open(page, width=width)
    browser.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true; })")
    loaded = "new Promise(done => { const it = document.querySelector('audio'); const look = () => it.readyState ? done(it.duration) : setTimeout(look, 20); look(); })"
    assert browser.evaluate(loaded) == 0.1
    assert browser.evaluate("document.querySelector('img').naturalWidth") == 1
    assert browser.complaints() == [] and browser.requests() == [page.as_uri()]
    assert browser.evaluate("document.documentElement.scrollWidth") == width


def test_runs_nothing_of_the_data(browser: Browser, page: Path) -> None:
    """A hostile name makes no element, and a script that got in all the same would be refused."""
    browser.open(page)
    assert (
        browser.evaluate("document.querySelectorAll('script,[onload],[onerror],iframe,object').length") == 1
    )
    browser.evaluate(
        "{ const it = document.createElement('script'); it.textContent = 'window.owned = 1'; document.body.append(it); }"
    )
    assert browser.evaluate("window.owned === undefined")
    assert any("Content Security Policy" in it for it in browser.complaints())


def test_finds_and_sorts_columns(browser: Browser, page: Path) -> None:
    """What is typed leaves the columns that it fits, and says how many; a head that is pressed sorts by it."""
    browser.open(page)
    browser.evaluate("document.getElementById('search').focus()")
    browser.type("NUMBER bill")
    assert browser.evaluate(SHOWN) == ["column-2"]
    assert browser.evaluate("document.getElementById('said').textContent") == "1 of 6 columns"
    assert (
        browser.evaluate("[...document.querySelectorAll('#index tbody tr')].filter(it => !it.hidden).length")
        == 1
    )
    browser.evaluate(
        "new Promise(done => { addEventListener('hashchange', () => done(), { once: true }); location.hash = '#column-4'; })"
    )
    assert len(browser.evaluate(SHOWN)) == 6  # what a link leads to is never hidden
    browser.evaluate("document.querySelector('th[data-key=missing] button').click()")
    assert browser.evaluate(SHOWN)[:2] == ["column-2", "column-6"]
    assert browser.evaluate("document.querySelector('th[data-key=missing]').ariaSort") == "descending"
    browser.evaluate(
        "{ const it = document.getElementById('role'); it.value = '!'; it.dispatchEvent(new Event('change')); }"
    )
    assert browser.evaluate(SHOWN) == ["column-2"]


def test_works_by_keyboard(browser: Browser, page: Path) -> None:
    """The first key leads past what comes before the content; what has the focus is seen; details open, and the head of a column sorts, without a mouse."""
    browser.open(page)
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.className") == "skip"
    assert browser.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    browser.press("Enter")
    browser.press("Tab")
    assert browser.evaluate("document.querySelector('main').contains(document.activeElement)")
    reached = set()
    for _ in range(60):
        reached.add(browser.evaluate("document.activeElement.localName"))
        assert browser.evaluate(
            "document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        )
        browser.press("Tab")
    assert {"a", "input", "select", "button", "summary"} <= reached
    browser.evaluate("document.querySelector('th[data-key=distinct] button').focus()")
    browser.press("Enter")
    assert browser.evaluate("document.querySelector('th[data-key=distinct]').ariaSort") == "descending"
    browser.evaluate("document.querySelector('#column-1 summary').focus()")
    browser.press("Enter")
    assert browser.evaluate("document.querySelector('#column-1 details').open")


def test_all_is_there_without_the_script(browser: Browser, page: Path) -> None:
    """With scripts turned off every column is shown, nothing is offered that would not work, and colours can be switched."""
    browser.open(page, script=False)
    assert len(browser.evaluate(SHOWN)) == 6
    assert browser.evaluate("document.querySelectorAll('th button').length") == 0
    assert browser.evaluate("document.getElementById('tools').checkVisibility()") is False
    back = "getComputedStyle(document.body).backgroundColor"
    assert browser.evaluate(back) == "rgb(255, 255, 255)"
    browser.evaluate("document.getElementById('theme-auto').focus()")
    browser.press("ArrowRight")
    browser.press("ArrowRight")
    assert browser.evaluate(back) == "rgb(15, 19, 24)"


CONTRAST = """(() => {
  const light = text => text.match(/[\\d.]+/g).slice(0, 3).map(it => it / 255)
    .map(it => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4).reduce((sum, it, at) => sum + it * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = it => { for (; it; it = it.parentElement) { const back = getComputedStyle(it).backgroundColor; if (!/, 0\\)$/.test(back)) return back; } };
  const worst = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const it = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !it.checkVisibility() || it.closest("script,option")) continue;
    const style = getComputedStyle(it), two = [light(it.closest("svg") ? style.fill : style.color), light(behind(it))].sort((a, b) => a - b);
    const ratio = (two[1] + 0.05) / (two[0] + 0.05);
    if (ratio < 4.5) worst.push(it.outerHTML.slice(0, 80) + " " + ratio.toFixed(2));
  }
  return worst;
})()"""


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast(browser: Browser, page: Path, dark: bool) -> None:
    """Light or dark as the system is, letters stand out from what is behind them by 4.5 to 1 at least (WCAG 2.2, 1.4.3)."""
    browser.open(page, dark=dark)
    browser.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true; })")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(15, 19, 24)" if dark else "rgb(255, 255, 255)"
    )
    assert browser.evaluate(CONTRAST) == []


def test_prints_all_of_it(browser: Browser, page: Path) -> None:
    """What is folded is open on paper, which is light, and folded again after it."""
    browser.open(page, dark=True)
    browser.send("Emulation.setEmulatedMedia", media="print")
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    browser.send("Emulation.setEmulatedMedia", media="")
    browser.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert browser.evaluate("document.querySelectorAll('details:not([open])').length") == 0
    browser.evaluate("dispatchEvent(new Event('afterprint'))")
    assert browser.evaluate("document.querySelectorAll('details[open]').length") == 0
