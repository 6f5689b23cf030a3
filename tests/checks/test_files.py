"""The check ``files``: media files of a table that are not whole, by row and part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mldata.checks import CHECKS
from mldata.checks.base import Finding
from mldata.errors import BuildError
from mldata.integrity import KINDS, KindInfo
from mldata.testing.checks import check_pieces
from store import Digest, hash_bytes
from tests.stages.cases import png

PARAMS = {"max": 0, "sample": 1.0, "timeout": 5.0}
PARTS = {"train": range(8), "test": range(8, 12)}
Media = tuple[pa.Table, Callable[[Digest], Path]]


@pytest.fixture
def media(tmp_path: Path) -> Media:
    """Twelve pictures: the third and the tenth are cut short, the sixth has something behind its end."""
    rows = []
    for number in range(12):
        data = png()
        data = data[:-20] if number in (2, 9) else data + b"more" if number == 5 else data
        digest = hash_bytes(data).digest
        (tmp_path / digest).write_bytes(data)
        rows.append({"path": f"{number:02d}.png", "digest": digest})
    return pa.Table.from_pylist(rows), lambda digest: tmp_path / digest


def find(media: Media, cut: int = 12, **params: Any) -> list[Finding]:
    table, locate = media
    pieces = [table.slice(start, cut) for start in range(0, 12, cut)]
    found = check_pieces(CHECKS["files"], PARAMS | params, pieces, parts=PARTS, kind="images", media=locate)
    assert isinstance(found, list)
    return found


def test_what_is_found(media: Media) -> None:
    """Corrupt files are an error and suspect ones a warning, by kind of damage, with rows, parts and the reason of each."""
    found = {it.severity: it for it in find(media)}
    error, warning = found["error"], found["warning"]
    assert (error.rows, dict(error.parts)) == (2, {"train": 1, "test": 1})
    assert [(place.row, place.part) for place in error.places] == [(2, "train"), (9, "test")]
    assert error.message.startswith("2 files of type png (16.7%) are corrupt")
    assert (warning.rows, warning.places[0].row) == (1, 5)
    assert all(place.value for place in (*error.places, *warning.places))


@pytest.mark.parametrize("cut", [1, 5, 12])
def test_however_the_rows_are_cut(media: Media, cut: int) -> None:
    """What is found depends on the rows alone."""
    assert find(media, cut) == find(media)


def test_some_may_be_corrupt(media: Media) -> None:
    """``max`` says how many, as a number or a share; they are told all the same."""
    for most in (2, "20%"):
        assert {it.severity for it in find(media, max=most)} == {"warning"}
    assert "error" in {it.severity for it in find(media, max="10%")}


def test_a_sample_says_so(media: Media) -> None:
    """Which files are looked at depends on their paths alone, and how many is told."""
    found = find(media, sample=0.5)
    told = [it for it in found if it.code == "sampled"]
    assert len(told) == 1 and told[0].message.endswith("of 12 files were looked at")
    assert find(media, cut=3, sample=0.5) == found


def test_tables_have_no_files() -> None:
    """Of a table there is nothing to look at, with the reason."""
    found = check_pieces(CHECKS["files"], PARAMS, [pa.table({"path": ["a"], "digest": ["b"]})])
    assert isinstance(found, str) and "decoded when the table is made" in found


class Sleeper:
    """A decoder that does not come back."""

    def check(self, content: object) -> object:
        while True:
            pass


def test_a_file_that_takes_too_long_is_no_finding(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a decoder takes is no function of the data: it ends the build, which says what to do."""
    monkeypatch.setitem(KINDS, "png", KindInfo("png", "image", (".png",), __name__, "Sleeper", 99))
    with pytest.raises(BuildError, match=r"00\.png: expected a file that is decoded within 0\.1 s"):
        find(media, timeout=0.1)
