"""The frame of web pages: what it lets run, what leads past its beginning, and its tables."""

from __future__ import annotations

import base64
import hashlib

from mldata.webpage import page, table, theme_switch
from tests.htmlpage import Page


def test_lets_its_own_script_run_alone() -> None:
    """A page without a script allows none; with one its policy names that script's digest, and nothing else."""
    plain = Page(page("t", ["<p>x</p>"]))
    assert "script" not in plain.values("meta", "content")[0]
    assert not [tag for tag, _ in plain.elements if tag == "script"]
    script = "document.title = 'x';"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = page("t", ["<p>x</p>"], script=script)
    assert Page(text).values("meta", "content")[0].endswith(f"; script-src 'sha256-{digest}'")
    assert f"<script>{script}</script>" in text


def test_what_comes_first_can_be_skipped() -> None:
    """Where something comes before the content, the first link leads past it."""
    made = Page(page("t", ["<p>x</p>"], top=["<nav>ways</nav>"], style=".mine{color:red}"))
    assert made.values("a", "href") == ["#main"] and made.values("main", "id") == ["main"]
    assert ".mine{color:red}" in made.text
    assert not Page(page("t", ["<p>x</p>"])).values("a", "href")


def test_theme_switch() -> None:
    """Colours can be left to the system, or set: three choices of one group, each with a label."""
    made = Page(theme_switch())
    inputs = [attrs for tag, attrs in made.elements if tag == "input"]
    assert [it["id"] for it in inputs] == ["theme-auto", "theme-light", "theme-dark"]
    assert {it["name"] for it in inputs} == {"theme"} and ["checked" in it for it in inputs] == [
        True,
        False,
        False,
    ]
    assert [tag for tag, _ in made.elements].count("label") == 3 and made.text == "ColoursAutoLightDark"


def test_numbers_and_shares_are_to_the_right() -> None:
    """Columns of numbers, and of shares, stand at the right; text does not."""
    text = table(["name", "rows", "share", "grade"], [("a", 1200, "12.5%", "5%"), ("b", 0, "<0.1%", "good%")])
    heads = [attrs.get("class") for tag, attrs in Page(text).elements if tag == "th"]
    assert heads == [None, "number", "number", None] and "1,200" in text and "&lt;0.1%" in text
