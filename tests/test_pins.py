"""The check of pinned results: it finds what changed, and says what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.pins import Pin, check_pins, check_text, complaints, read_pins

PIN = Pin("case", "split", 2, "aa", {"pyarrow": "26.0"})


@pytest.mark.parametrize(
    ("now", "wrong", "due"),
    [
        (PIN, "", ""),
        (
            replace(PIN, digest="bb"),
            "the split stage makes something else of case than its version 2 did",
            "",
        ),
        (
            replace(PIN, digest="bb", version=3),
            "",
            "went from version 2 to 3: pin what it makes of case anew",
        ),
        (replace(PIN, version=3), "", "went from version 2 to 3"),
        (replace(PIN, digest="bb", libraries={"pyarrow": "27.0"}), "", ""),
        (None, "", "split of case is pinned and no longer made"),
        (replace(PIN, case="other"), "", "split of other is not pinned yet"),
    ],
)
def test_what_is_told(now: Pin | None, wrong: str, due: str) -> None:
    """A changed result wants a new version, a new version wants a new pin; other libraries cannot be compared."""
    found = complaints([PIN], [now] if now else [])
    for said, expected in zip(found, (wrong, due), strict=True):
        assert expected in "\n".join(said)
        assert bool(said) is bool(expected)
    if wrong:
        assert "raise its version in mldata/stages/__init__.py" in found[0][0]


def test_updating(tmp_path: Path) -> None:
    """Pins are written and read; a changed result under an unchanged version is not pinned, whoever asks."""
    path = tmp_path / "pins.txt"
    more = replace(PIN, case="b", libraries={})
    with pytest.raises(AssertionError, match="not pinned yet"):
        check_pins(path, [PIN], test="t.py", update=False)
    check_pins(path, [more, PIN], test="t.py", update=True)
    assert read_pins(path) == [more, PIN]
    assert path.read_text().splitlines()[0].endswith("pytest t.py --update-golden")
    check_pins(path, [PIN, more], test="t.py", update=False)
    before = path.read_bytes()
    with pytest.raises(AssertionError, match="raise its version"):
        check_pins(path, [replace(PIN, digest="bb"), more], test="t.py", update=True)
    assert path.read_bytes() == before
    new = replace(PIN, digest="bb", version=3)
    with pytest.raises(AssertionError, match="went from version 2 to 3"):
        check_pins(path, [new, more], test="t.py", update=False)
    check_pins(path, [new, more], test="t.py", update=True)
    assert read_pins(path) == [more, new]


def test_texts(tmp_path: Path) -> None:
    """The file of a version is never written anew; that of the next version takes its place."""

    def check(version: int, data: bytes, update: bool = False) -> None:
        check_text("export", ".csv", "export", version, data, update=update, folder=tmp_path)

    with pytest.raises(AssertionError, match=r"export-3\.csv is not pinned yet"):
        check(3, b"a")
    check(3, b"a", update=True)
    check(3, b"a")
    for update in (False, True):
        with pytest.raises(AssertionError, match=r"something else of export-3\.csv than its version 3 did"):
            check(3, b"b", update)
    with pytest.raises(AssertionError, match=r"export-4\.csv is not pinned yet"):
        check(4, b"b")
    check(4, b"b", update=True)
    assert [path.name for path in tmp_path.iterdir()] == ["export-4.csv"]
