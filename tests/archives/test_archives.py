"""Which files are archives: by name and content together."""

from __future__ import annotations

import bz2
import gzip
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldata.archives import archive_kind, may_be_archive, members
from mldata.errors import DataError
from tests.archives.making import make_tar, make_zip, read, source

ZIP = make_zip({"a": b"1"})
TAR = make_tar(("a", b"1"))


def kind(folder: Path, name: str, data: bytes) -> str | None:
    if not may_be_archive(name, lambda: data[:16]):
        return None
    return archive_kind(source(folder, name, data))


@pytest.mark.parametrize(
    "name", ["x.zip", "X.ZIP", "d/x.tar", "x.tar.gz", "x.tgz", "x.tar.zst", "x.gz", "download"]
)
def test_told_by_content(tmp_path: Path, name: str) -> None:
    """A file that may be an archive by name is read as what it is."""
    assert kind(tmp_path, name, ZIP) == "zip"
    assert kind(tmp_path, name, TAR) == kind(tmp_path, name, gzip.compress(TAR)) == "tar"


@pytest.mark.parametrize("name", ["x.xlsx", "x.docx", "x.jar", "x.npz", "x.csv", "x.csv.gz"])
def test_told_by_name(tmp_path: Path, name: str) -> None:
    """Workbooks, arrays and the like, which are zip files inside, are not opened; nor are tables."""
    assert kind(tmp_path, name, ZIP) is None


def test_no_archives(tmp_path: Path) -> None:
    """A compressed file that is no tar, and a file without suffix that is nothing, are left as they are."""
    for name in ("x.gz", "download"):
        for data in (gzip.compress(b"abc"), gzip.compress(TAR)[:3], b"PAR1", b"text " * 500, b""):
            assert kind(tmp_path, name, data) is None


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"<html>", gzip.compress(b"abc", mtime=0), b"MZ" + ZIP, bz2.compress(TAR)[:20]]
)
def test_not_what_the_name_says(tmp_path: Path, data: bytes) -> None:
    """A file that is called an archive and is none is an error."""
    for name in ("d/x.zip", "d/x.tar.gz"):
        with pytest.raises(DataError, match=rf"{name}: expected .*\n  fetch the file again"):
            kind(tmp_path, name, data)


def test_empty_archives(tmp_path: Path) -> None:
    """An archive may have nothing in it."""
    assert read(tmp_path, "x.zip", make_zip({})) == read(tmp_path, "x.tar", make_tar()) == {}


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_memory_is_bounded(tmp_path: Path, name: str) -> None:
    """No member is in memory as a whole, be it one that is taken or one that is left out."""
    large = bytes(range(256)) * (1 << 17)
    files = {"large": large, ".hidden": large}
    data = make_zip(files) if name == "x.zip" else make_tar(*files.items())
    file = source(tmp_path, name, gzip.compress(data, 1) if name == "x.tar.gz" else data)
    tracemalloc.start()
    try:
        assert [sum(map(len, m.data)) for m in members(file, name[2:5])] == [len(large)]
        assert tracemalloc.get_traced_memory()[1] < len(large) // 4
    finally:
        tracemalloc.stop()


@given(data=st.binary(max_size=2000), name=st.sampled_from(["x.zip", "x.tar", "x.tar.xz", "x.tgz", "x"]))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str) -> None:
    """Bytes that are nothing are no archive or an error."""
    for head in (b"", b"PK\3\4", b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"BZh9"):
        try:
            found = kind(tmp_path_factory.getbasetemp(), name, head + data)
            assert found in (None, "zip") or (found == "tar" and not (head + data).strip(b"\0"))
        except DataError as error:
            assert name in str(error)
