"""The report in the terminal, in Markdown and as a page: whatever is in it, and however much."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest

from mldata.cells import width
from mldata.cli.base import Output
from mldata.cli.driftreport import drift_text
from mldata.drift.form import drift_to_json
from mldata.drift.markdown import drift_markdown
from mldata.drift.page import MOST, drift_page
from mldata.drift.report import MAJOR, MODERATE, STABLE, Bin, ColumnDrift, DriftReport, Shape

HOSTILE = "</script><img src=x onerror=alert(1)>|`*[a](b)\x1b[2J\u202e\n\u4e2d\u6587"


def column(name: str, severity: str = STABLE, psi: float = 0.01) -> ColumnDrift:
    bins = [Bin(f"{name} {number}", 1000 + number, 1000, psi / 10) for number in range(10)]
    shape = Shape([str(it) for it in range(30)], ("0", "29"), [5] * 30, list(range(30)), (1, 2))
    return ColumnDrift(
        name,
        "numeric",
        severity,
        psi,
        0.02,
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
        0.6,
        0.7,
        0.8,
        bins,
        note="a note" if severity == STABLE else None,
        moved=("mean 1 → 2", f"{name}: 1% → 2%") if severity != STABLE else (),
        shape=shape,
    )


@cache
def large(rows: int = 2000) -> DriftReport:
    severities = (STABLE, MODERATE, MAJOR)
    columns = tuple(column(f"column {at:04d}", severities[at % 3], at / rows) for at in range(rows))
    names = tuple(f"new {at}" for at in range(rows))
    return DriftReport("old", "new", 10, 20, columns, names, names)


def hostile() -> DriftReport:
    made = column(HOSTILE, MAJOR, 1.0)
    text = replace(
        made, kind="text", facets={"length": replace(made, name="length"), "words": replace(made, shape=None)}
    )
    return DriftReport(
        HOSTILE, HOSTILE, 10, 20, (made, text, replace(made, shape=None)), (HOSTILE,), (HOSTILE,)
    )


@pytest.mark.parametrize("detailed", [False, True])
def test_markdown_fits_into_a_comment(detailed: bool) -> None:
    """Of 2,000 columns the worst are told, the others counted, in at most 65,536 characters."""
    text = drift_markdown(large(), detailed=detailed)
    assert 40_000 < len(text) <= 65_536
    assert text.split("\n| ")[2].startswith("column 1997 | numeric | 0.999 |")
    assert re.search(r"^And [\d,]+ more columns, of which [\d,]+ drifted\.$", text, re.MULTILINE)
    measured = text.count("\n### ")
    rest = f"There is no room here for the measures of {2000 - measured:,} more columns.\n"
    assert (rest in text) == detailed


def test_of_many_bins_those_are_shown_that_moved() -> None:
    """Of a column with hundreds of categories the rows that moved are shown, wherever they stand, and the others are counted."""
    bins = [Bin(f"c{number:03d}", 10, 10, 0.0) for number in range(300)]
    bins += [Bin("(unseen)", 0, 90, 0.4), Bin("(missing)", 5, 70, 0.3)]
    report = DriftReport("old", "new", 1, 1, (replace(column("c", MAJOR, 0.7), bins=bins, shape=None),))
    shown = drift_text(report, Output(), detailed=True)
    for text in (shown, drift_markdown(report, detailed=True), drift_page(report)):
        assert "(unseen)" in text and "(missing)" in text and "c000" in text and "c299" not in text
    assert "    and 262 more\n" in f"{shown}\n"


@pytest.mark.no_cover
def test_a_page_of_2000_columns() -> None:
    """It is below 2 MB; each column has its line, and the worst have their plot, to which the line leads."""
    page = drift_page(large())
    assert len(page.encode()) < MOST
    assert page.count('<th scope="row">') == 2000
    targets = set(re.findall(r'<details id="([^"]+)"', page))
    assert len(targets) > 50
    assert set(re.findall(r'href="#([^"]+)"', page)) == targets | {"main"}
    assert f"There is no room here for {2000 - len(targets):,} more columns." in page


class Tags(HTMLParser):
    """Which elements there are, and whether they are closed as they were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        if tag not in ("meta", "br", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_nothing_from_data_is_markup() -> None:
    """A hostile name is text on the page, in Markdown and in the terminal, and keeps its line."""
    page, text = drift_page(hostile()), drift_markdown(hostile(), detailed=True)
    tags = Tags()
    tags.feed(page)
    assert tags.open == [] and not tags.names & {"img", "script", "a b"}
    shown = drift_text(hostile(), Output(), detailed=True) + drift_text(hostile(), Output(), detailed=False)
    for made in (page, text, shown):
        assert not re.search("[\x1b\u202e]", made)
    assert not re.search(r"(?<!\\)[<`\[]", text.replace("`old`", ""))
    rows = [line for line in text.split("\n") if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} == {7}


@pytest.mark.parametrize(
    ("report", "detailed"), [(large(), False), (large(30), True), (hostile(), False), (hostile(), True)]
)
def test_the_terminal_is_80_columns_wide(
    report: DriftReport, detailed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is longer than a terminal of 80 columns; of many columns the worst are shown, unless all are asked for."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = drift_text(replace(report, baseline="old", current="new"), Output(), detailed=detailed).split(
        "\n"
    )
    assert max(map(width, lines)) <= 80
    if len(report.columns) > 100 and not detailed:
        assert len(lines) < 100
        assert lines[-1] == "and 1,960 more columns, of which 1,293 drifted; --detailed shows all"


def test_a_wide_terminal_has_a_line_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is room, what moved stands beside the numbers, and colours change no column."""
    monkeypatch.setenv("COLUMNS", "140")
    report = DriftReport("old", "new", 1, 1, (column("age", MAJOR, 0.5), column("id")))
    plain = drift_text(report, Output(), detailed=False)
    assert plain.split("\n")[3:] == [
        "column  kind       PSI  critical  severity  what moved",
        "age     numeric  0.500     0.020  ✕ major   mean 1 → 2; age: 1% → 2%",
        "id      numeric  0.010     0.020  ✓ stable  a note",
    ]
    output = Output()
    output.color = True
    assert re.sub("\x1b\\[[0-9]*m", "", drift_text(report, output, detailed=False)) == plain


def test_bins_are_told_whole_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ends of a bin, two instants such as timestamps have, stand in a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    label = "2024-01-10T21:36 to 2024-01-20T19:12"
    times = replace(column("at"), bins=[Bin(label, 10, 20, 0.1)])
    shown = drift_text(DriftReport("old", "new", 1, 1, (times,)), Output(), detailed=True)
    assert f"    {label}  " in shown


def test_a_report_without_columns() -> None:
    """That nothing could be compared, as no column is on both sides, is told as such and is no pass."""
    report = DriftReport("old", "new", 0, 3, (), ("a",), ("b",))
    assert drift_text(report, Output(), detailed=True).split("\n") == [
        "Drift of new against old: ✕ major",
        "no column in common: nothing could be compared; 0 rows before, 3 now",
        "added: a",
        "removed: b",
    ]
    text, page = drift_markdown(report), drift_page(report)
    assert "\n\nNo column in common: nothing could be compared; " in text and "| column" not in text
    assert "<b>No column in common: nothing could be compared; " in page
    assert "<table" not in page and 'class="bar"' not in page
    told = drift_to_json(report)
    assert (told["comparable"], told["severity"], told["drift"], told["share"]) == (False, MAJOR, True, 0)
    assert json.dumps(told, allow_nan=False)


def test_a_report_without_rows_or_without_any_column() -> None:
    """Where there is nothing on either side nothing has moved, and no count of columns is told."""
    unmeasured = ColumnDrift("a", "numeric", STABLE, note="there are no rows on either side")
    for columns, what in (((unmeasured,), "rows"), ((), "columns")):
        report = DriftReport("old", "new", 0, 0, columns)
        lines = drift_text(report, Output(), detailed=False).split("\n")
        assert lines[:2] == [
            "Drift of new against old: ✓ stable",
            f"nothing to compare: there are no {what} on either side; 0 rows before, 0 now",
        ]
        assert drift_to_json(report)["comparable"]
