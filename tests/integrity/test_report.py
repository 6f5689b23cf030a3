"""The report of a check of files."""

from __future__ import annotations

import json
import random

import pytest

from mldata.integrity.base import SUSPECT, TIMEOUT, FileCheckResult, Found, Problem, result_of, skipped
from mldata.integrity.report import KEPT_SKIPPED, FilesReport, FilesReportBuilder, Sampled

CUT = Problem("truncated", "expected 1,000 bytes, found 10", offset=10)
FLAT = Problem("one-colour", "all pixels have one colour", "warning")
HOSTILE = "a|b`<script>\x1b[31m\n*c*.jpg"


def results() -> list[FileCheckResult]:
    """One of each verdict, and a file with a hostile name."""
    return [
        result_of("b/good.png", "png", Found("Pillow"), size=3),
        result_of("b/flat.png", "png", Found("Pillow", [FLAT], {"width": 2})),
        result_of(HOSTILE, "jpeg", Found("Pillow", [CUT])),
        FileCheckResult("slow.gif", "gif", False, "took longer than 5 s", {}, TIMEOUT),
        skipped("notes.TXT", "unknown", "no kind of file that is checked"),
    ]


def made(*more: FileCheckResult, fail_on: str = "error", interrupted: bool = False) -> FilesReport:
    builder = FilesReportBuilder()
    for result in (*results(), *more):
        builder.add(result)
    return builder.report("data", fail_on=fail_on, interrupted=interrupted, settings={"timeout": 5})


@pytest.mark.no_cover
def test_counts() -> None:
    """Every file is counted by verdict and type, the percentage is of those that were looked at and never rounds up to 100."""
    report = made()
    assert report.counts == {"valid": 1, "suspect": 1, "corrupt": 1, "skipped": 1, "timeout": 1}
    assert report.types["png"] == {"valid": 1, "suspect": 1} and report.total == 5
    assert (report.percentage, report.verdict, report.colour) == (50.0, "corrupt", "red")
    assert report.skipped == {".txt": 1}
    builder = FilesReportBuilder()
    for number in range(99_999):
        builder.add(FileCheckResult(str(number), "png", True))
    builder.add(FileCheckResult("bad", "png", False, "cut short", {}, "corrupt"))
    assert builder.report(".").percentage == 99.99


@pytest.mark.parametrize(
    ("verdict", "fail_on", "passed"),
    [
        ("corrupt", "error", False), ("timeout", "error", True), ("suspect", "error", True), ("skipped", "error", True),
        ("corrupt", "warning", False), ("timeout", "warning", False), ("suspect", "warning", False), ("valid", "warning", True),
        ("corrupt", "never", True),
    ],
)  # fmt: skip
def test_passed(verdict: str, fail_on: str, passed: bool) -> None:
    """Corrupt files fail by default, files that are only odd or slow where warnings do; ``never`` means it."""
    builder = FilesReportBuilder()
    builder.add(FileCheckResult("a", "png", verdict in ("valid", SUSPECT), "why", {}, verdict))
    assert builder.report(".", fail_on=fail_on).passed is passed


def test_stopped() -> None:
    """A check that was stopped has not passed, and says so."""
    builder = FilesReportBuilder()
    builder.add(FileCheckResult("a", "png", True))
    report = builder.report(".", interrupted=True, total=10)
    assert (report.passed, report.colour, report.total) == (False, "yellow", 10)
    assert "stopped" in report.to_terminal() and "stopped" in report.to_markdown()


def test_nothing() -> None:
    """Where no file was looked at there is no percentage, and nothing is called valid."""
    report = FilesReportBuilder().report(".")
    assert (report.percentage, report.verdict, report.passed) == (None, "skipped", True)
    assert report.to_terminal().startswith("no file was looked at")


def test_order_does_not_matter() -> None:
    """The same results in another order give the same texts."""
    shuffled = results()
    random.Random(1).shuffle(shuffled)
    builder = FilesReportBuilder()
    for result in shuffled:
        builder.add(result)
    report = builder.report("data", settings={"timeout": 5})
    assert report.to_text() == made().to_text() and report.to_markdown() == made().to_markdown()


def test_json() -> None:
    """The JSON has what programs go by, and reads back as it was."""
    report = made()
    plain = json.loads(report.to_text())
    assert plain["counts"]["corrupt"] == 1 and plain["settings"] == {"timeout": 5}
    (corrupt,) = (file for file in plain["files"] if file["verdict"] == "corrupt")
    assert corrupt["path"] == HOSTILE and corrupt["details"]["offset"] == 10
    assert corrupt["error"] == "expected 1,000 bytes, found 10 (byte 10)" and corrupt["is_valid"] is False
    assert all(file["verdict"] != "valid" for file in plain["files"])
    assert FilesReport.from_json(plain).to_text() == report.to_text()
    odd = made(FileCheckResult("\udc80", "png", False, "cut", {}, "corrupt")).to_text()
    assert "\udc80" in json.loads(odd.encode())["files"][-1]["path"]


def test_sample_is_told() -> None:
    """Each text says how files were chosen where not all were looked at."""
    builder = FilesReportBuilder()
    builder.add(FileCheckResult("a", "png", True))
    report = builder.report("d", total=100_000, sampled=Sampled(0.1, 42, 10_000, 100_000))
    for text in (report.to_markdown(), report.to_terminal()):
        assert "10,000 of 100,000 files (10%, seed 42)" in text
    assert FilesReport.from_json(report.to_json()) == report


def test_markdown_keeps_names_as_text() -> None:
    """A hostile name stays on its line and is no markup; every file that is not valid is there."""
    text = made().to_markdown()
    (line,) = (line for line in text.splitlines() if "script" in line)
    assert line.startswith("- `` a|b`<script>\\x1b[31m\\n*c*.jpg `` (jpeg): ")
    assert "flat.png" in text and "slow.gif" in text and "notes.TXT" in text and "good.png" not in text


def test_terminal_names_ten() -> None:
    """The first ten corrupt files with reasons, how many more there are and where; nothing that a terminal would obey."""
    bad = [result_of(f"c/{number:02d}.jpg", "jpeg", Found("Pillow", [CUT])) for number in range(20)]
    text = made(*bad).to_terminal()
    assert "\x1b" not in text and "a|b`<script>\N{REPLACEMENT CHARACTER}[31m" in text
    assert "  c/08.jpg: expected 1,000 bytes, found 10 (byte 10)" in text and "c/09.jpg" not in text
    assert "and 11 more" in text and "report.html" in text
    assert "valid 1, suspect 1, corrupt 21, skipped 1, timed out 1" in text
    assert "skipped: 1 .txt" in text and "--timeout" in text


def test_memory_is_bounded() -> None:
    """Of very many skipped files a bounded number is named, and all are counted by suffix, however many suffixes there are."""
    builder = FilesReportBuilder()
    for number in range(5000):
        builder.add(skipped(f"{number:05d}.x{number}", "unknown", "no kind of file that is checked"))
    report = builder.report(".")
    assert (
        len(report.files) == KEPT_SKIPPED and report.counts["skipped"] == sum(report.skipped.values()) == 5000
    )
    assert len(report.skipped) <= 1001
    assert f"and {5000 - KEPT_SKIPPED:,} more" in report.to_markdown()
