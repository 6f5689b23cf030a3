"""How a check of files is shown."""

from __future__ import annotations

import io

import pytest

from mldata.reporter import PlainReporter, QuietReporter
from mldata.reporter.files import FilesProgress


def test_lines_say_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files done and to do, the rate, and what was found to be corrupt."""
    monkeypatch.setattr("mldata.reporter._PlainStage.EVERY", 0.0)
    stream = io.StringIO()
    with FilesProgress(PlainReporter(stream), "photos", 2, 3000) as progress:
        progress.done(1000)
        progress.found(True)
        progress.done(2000)
    first, second, last = stream.getvalue().splitlines()
    assert first.startswith("validate:photos  1/2  ") and first.rstrip().endswith("s left")
    assert second.startswith("validate:photos  2/2  ") and second.endswith("1 corrupt")
    assert last.startswith("validate:photos  2 files looked at, 1 corrupt")


def test_an_interrupt_says_nothing_of_an_end() -> None:
    """What was not finished is told by the report."""
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt), FilesProgress(PlainReporter(stream), "photos", 2):
        raise KeyboardInterrupt
    assert stream.getvalue() == ""
    with FilesProgress(QuietReporter(), "photos", 1) as progress:
        progress.done(1)
