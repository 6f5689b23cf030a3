"""What is shown of downloads."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest

from mldata.reporter import PlainReporter, QuietReporter
from mldata.reporter.downloads import DownloadView, PlainView, RichView

MIB = 1024 * 1024


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the views."""
    made = Clock()
    monkeypatch.setattr("mldata.reporter.downloads.time.monotonic", made)
    return made


def plain() -> tuple[PlainView, list[str]]:
    lines: list[str] = []
    return PlainView(lines.append, lambda text: lines.append(f"warning: {text}"), lambda text: None), lines


def test_one_file(clock: Clock) -> None:
    """Its beginning is told, and every ten seconds how far it is, how fast, and how long it will take."""
    view, lines = plain()
    view.plan(1, 100 * MIB)
    view.begin("a.bin", 100 * MIB, 0)
    for _ in range(25):
        clock.now += 1
        view.advance("a.bin", 2 * MIB)
    view.end("a.bin")
    assert lines == [
        "Starting download of a.bin, 100.0 MiB",
        "20.0 MiB of 100.0 MiB (20 %), 2.0 MiB/s, 40 s left",
        "40.0 MiB of 100.0 MiB (40 %), 2.0 MiB/s, 30 s left",
    ]


def test_a_file_that_is_gone_on_with(clock: Clock) -> None:
    """What an earlier run brought is told apart from what comes now, and does not count for the rate."""
    view, lines = plain()
    view.plan(1, 100 * MIB)
    view.begin("a.bin", 100 * MIB, 37 * MIB)
    clock.now += 10
    view.advance("a.bin", 10 * MIB)
    assert lines == [
        "Resuming a.bin from 37 % (37.0 MiB of 100.0 MiB are here)",
        "47.0 MiB of 100.0 MiB (47 %), 10.0 MiB of it now, 1.0 MiB/s, 53 s left",
    ]


def test_many_files(clock: Clock) -> None:
    """There is a line for all of them; only large ones and those that are gone on with have one of their own."""
    view, lines = plain()
    view.plan(3, None)
    view.begin("small", 10, 0)
    view.begin("large", 50 * MIB, 0)
    view.begin("old", None, 5)
    clock.now += 20
    view.advance("large", 20 * MIB)
    view.end("small")
    assert lines == [
        "downloading 3 files",
        "Starting download of large, 50.0 MiB",
        "Resuming old from 5 B",
        "20.0 MiB, 20.0 MiB of it now, 1.0 MiB/s, 0 of 3 files",
    ]


def test_bytes_that_are_thrown_away(clock: Clock) -> None:
    """They do not count, and nothing is below zero."""
    view, lines = plain()
    view.plan(1, 10 * MIB)
    view.begin("a", 10 * MIB, 0)
    view.advance("a", 5 * MIB)
    clock.now += 11
    view.advance("a", -5 * MIB)
    view.advance("never begun", 7)
    view.warn("starting again")
    assert lines[1:] == ["0 B of 10.0 MiB (0 %), 0 B/s", "warning: starting again"]


@pytest.mark.parametrize("make", [QuietReporter, lambda: PlainReporter(io.StringIO())])
def test_warnings_reach_who_asks(make: Callable[[], QuietReporter]) -> None:
    """Whoever shows downloads, what they warn of is handed on once."""
    warnings: list[str] = []
    view: DownloadView = make().stage("d", "fetch").downloads(warnings.append)
    view.plan(1, None)
    view.begin("a", None, 0)
    view.advance("a", 1)
    view.warn("careful")
    view.note("for those who want more")
    view.end("a")
    assert warnings == ["careful"]


def test_on_a_terminal(clock: Clock) -> None:
    """There is a bar for everything and one for each of a few large files, in another colour where one is gone on with; all are gone at the end."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    from mldata.reporter.columns import DoneColumn, ResumedBarColumn

    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system="standard", width=120)
    bars = Progress(
        TextColumn("{task.description}"),
        ResumedBarColumn(),
        DoneColumn(),
        TextColumn("{task.fields[rate]} {task.fields[label]}"),
        console=console,
        auto_refresh=False,
    )
    task = bars.add_task("fetch:d", total=None, label="", rate="")
    said: list[str] = []
    view = RichView(said.append, said.append, said.append, bars, task)
    view.plan(7, 700 * MIB)
    for number in range(6):
        view.begin(f"{number}.bin", 100 * MIB, 50 * MIB if number == 1 else 0)
    for number in range(6):
        clock.now += 1
        view.advance(f"{number}.bin", 10 * MIB)
    console.print(bars.get_renderable())
    shown = out.getvalue()
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in shown.splitlines()]
    assert len([line for line in lines if ".bin" in line]) == 4
    assert re.search(r"fetch:d .* 110.0 MiB/700.0 MiB 10.0 MiB/s 0/7 files {2}60.0 MiB now", lines[0])
    assert re.search(r"1.bin .* 60.0 MiB/100.0 MiB", lines[2]) and re.search(
        r"0.bin .* 10.0 MiB/100.0 MiB", lines[1]
    )
    colours = [bool(re.search(r"\x1b\[[0-9;]*35m", line)) for line in shown.splitlines()[:3]]
    assert colours == [True, False, True]
    for number in range(4):
        view.end(f"{number}.bin")
    view.begin("failing.bin", 100 * MIB, 0)
    view.close()
    assert [it.description for it in bars.tasks] == ["fetch:d"]
    assert said[0] == "downloading 7 files, 700.0 MiB" and any(
        "Resuming 1.bin from 50 %" in text for text in said
    )


def test_names_do_nothing_to_a_terminal() -> None:
    """A name from a server is shown without what a terminal would obey."""
    out = io.StringIO()
    view = PlainReporter(out).stage("d", "fetch").downloads(lambda text: None)
    view.plan(1, 5)
    view.begin("a\x1b]0;title\x07b.csv", 5, 0)
    assert out.getvalue() == "fetch:d  Starting download of a\ufffd]0;title\ufffdb.csv, 5 B\n"
