"""The report of data checks as a web page."""

from __future__ import annotations

from mldata.checks.html import checks_page
from tests.checks.test_report import ERROR, WARNING, report
from tests.integrity.test_html import Page


def test_says_what_the_other_reports_say() -> None:
    """Each check with its result, each finding with its rows, parts and what to do; text from data stays text."""
    markup = checks_page(report(WARNING, ERROR))
    page = Page(markup)
    for text in (
        "Validation of demo",
        "1,300",
        "no columns",
        "that is odd",
        "'a_b' is *bad* in 3 rows",
        "rows by part: train 2, test 1",
        "row 7 (train, 0.csv), like row 1 (test, 1.csv): 'x`|y'",
        "row 1,234 (2|.csv): a\\nb",
        "and 1 more row",
        "Use fix: {a: 1} or <b>not</b>",
    ):
        assert text in page.text, text
    assert "<b>not" not in markup and "<code>fix: {a: 1}</code>" in markup
    assert (
        page.values("a", "href") == ["#check-one"]
        and ("details", {"id": "check-one", "open": None}) in page.elements
    )


def test_verdict() -> None:
    """The page's title says whether it passed."""
    assert "Validation of demo: passed" in Page(checks_page(report(WARNING))).text
    assert "Validation of demo: failed" in Page(checks_page(report(ERROR))).text
