"""What is shown of formats that are written at once."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from mldata.reporter.columns import DoneColumn
from mldata.reporter.writing import PlainWriting, RichWriting, WritingView


def go(view: WritingView) -> None:
    """A format that is written, and one that fails."""
    view.begin("csv")
    view.begin("orc")
    view.move("csv", 1_234_567, 89_000_000)
    view.move("orc", 1, 2)


def test_rows_bytes_and_seconds_are_counted() -> None:
    """By format; also of one that failed, up to there."""
    view = WritingView()
    go(view)
    assert view.wrote["csv"].seconds is None
    view.end("csv")
    view.end("orc", failed=True)
    assert (view.wrote["csv"].rows, view.wrote["csv"].size) == (1_234_567, 89_000_000)
    assert all((wrote.seconds or 0) >= 0 and wrote.seconds is not None for wrote in view.wrote.values())


def test_plain_lines_are_of_long_work_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each format that took a while, once it is done; none for one that failed."""
    lines: list[str] = []
    view = PlainWriting(lines.append)
    go(view)
    view.end("csv")
    assert not lines
    monkeypatch.setattr(PlainWriting, "LONG", 0.0)
    view = PlainWriting(lines.append)
    go(view)
    view.end("orc", failed=True)
    view.end("csv")
    assert len(lines) == 1 and lines[0].startswith("csv: 1,234,567 rows, ")


def test_a_live_line_a_format(monkeypatch: pytest.MonkeyPatch) -> None:
    """With rows and bytes, and gone when the format is done, whether well or not."""
    monkeypatch.setattr(RichWriting, "REFRESH", 0.0)
    bars = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        DoneColumn(),
        TextColumn("{task.fields[rate]} {task.fields[label]}"),
        console=Console(file=io.StringIO(), width=100),
    )
    view = RichWriting(bars)
    go(view)
    shown = Console(file=io.StringIO(), width=100)
    shown.print(bars.make_tasks_table(bars.tasks))
    text = shown.file.getvalue()  # type: ignore[attr-defined]
    assert "csv" in text and "1,234,567 rows" in text and "/s" in text
    view.end("csv")
    view.end("orc", failed=True)
    assert not bars.tasks
