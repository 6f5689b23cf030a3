"""7z archives: what is in them comes out, and what is hostile or damaged is refused by name."""

from __future__ import annotations

import base64
import builtins
import io
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.archives import LIMITS, Limits, archive_kind, members
from mldata.archives.sevenzip import LZMA, LZMA2, MOST_DICTIONARY, PPMD, _dictionary
from mldata.errors import DataError, MissingExtra
from tests.archives.making import source

py7zr = pytest.importorskip("py7zr", reason="the extra '7z' is not installed")


def seven(files: dict[str, bytes], **options: Any) -> bytes:
    """A 7z archive."""
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", **options) as archive:
        for name, data in files.items():
            archive.writestr(data, name)
    return out.getvalue()


def read(folder: Path, data: bytes, limits: Limits = LIMITS) -> dict[str, bytes]:
    """What comes out of an archive called x.7z."""
    file = source(folder, "x.7z", data)
    assert archive_kind(file) == "7z"
    return {member.path: b"".join(member.data) for member in members(file, "7z", limits)}


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.text("abcdef", min_size=1, max_size=8).map(lambda name: f"d/{name}.csv"), st.binary(max_size=4000)
    ),
    st.sampled_from([py7zr.FILTER_LZMA2, py7zr.FILTER_COPY, py7zr.FILTER_PPMD, py7zr.FILTER_BZIP2]),
)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], method: int) -> None:
    """Files, empty ones too, come out as they went in, by each of the usual methods."""
    filters: dict[str, int] = {"id": method}
    if method == py7zr.FILTER_PPMD:
        filters |= {"order": 6, "mem": 16}
    assert read(tmp_path_factory.getbasetemp(), seven(files, filters=[filters])) == files


APART = base64.b64decode(
    "N3q8ryccAARGANZxlwAAAAAAAAAhAAAAAAAAAJ8VlI8BAAN4CjEKAAEAA3gKMgoAAQADeAozCgAAAIEzB65Pnux3QNMnGmQq+rVl"
    "fxCvwvZerZjKcsZr4VDUgVgTH69QolouXiITi8xU4Ey8xkyy35mdTiHBKcz2q13ZKyzV8gLe1mE/S20ZWGIPpTg2VDF02nIUmlDV"
    "BzAPCnWKf240Kn68vjFH47JVDxGySiMCJxyF24rqYAAAFwYYAQl/AAcLAQABIwMBAQVdABAAAAyA0goBC6sCywAA"
)
"""Made by p7zip 16.02, ``7z a -ms=off -mx=1``: a stream for each file."""


def test_what_7_zip_packs_apart(tmp_path: Path) -> None:
    """An archive of several streams, with folders and an empty file, comes out whole."""
    expected = {"1.csv": b"x\n1\n", "2.csv": b"x\n2\n", "sub/3.csv": b"x\n3\n", "empty.csv": b""}
    assert read(tmp_path, APART) == expected


def test_data_comes_in_pieces(tmp_path: Path) -> None:
    """A large member is not handed on as a whole."""
    file = source(tmp_path, "x.7z", seven({"a": os.urandom(1 << 20), "b": b"3"}))
    pieces = {member.path: [len(piece) for piece in member.data] for member in members(file, "7z")}
    assert sum(pieces["a"]) == 1 << 20 and len(pieces["a"]) >= 4 and pieces["b"] == [1]


def test_a_member_that_does_not_come_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the list of an archive promises has to come out, or the archive is damaged."""
    plain = py7zr.SevenZipFile.extract
    monkeypatch.setattr(
        py7zr.SevenZipFile, "extract", lambda self, factory: plain(self, targets=["a"], factory=factory)
    )
    with pytest.raises(DataError, match=r"member 'b': expected its data, found none"):
        read(tmp_path, seven({"a": b"1", "b": b"2"}))


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    """As they are in other archives."""
    files = {"a.csv": b"x\n1\n", ".hidden": b"no", "Thumbs.db": b"no", "b.csv": b"x\n2\n"}
    assert set(read(tmp_path, seven(files))) == {"a.csv", "b.csv"}


@pytest.mark.parametrize("name", ["../out.csv", "a/../../out.csv", "con.csv", "C:evil.csv"])
def test_unsafe_names_are_refused(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leaves the folder, or means something else elsewhere, is named, and nothing comes out."""
    data = seven({"x" * len(name): b"evil"})
    monkeypatch.setattr(py7zr.py7zr.ArchiveFile, "filename", property(lambda self: name))
    with pytest.raises(DataError, match="expected a name that is safe"):
        read(tmp_path, data)


def test_links_are_refused(tmp_path: Path) -> None:
    """A link is no plain file."""
    (tmp_path / "target").write_bytes(b"secret")
    (tmp_path / "link").symlink_to("target")
    with py7zr.SevenZipFile(tmp_path / "made.7z", "w") as archive:
        archive.write(tmp_path / "link", "link")
    with pytest.raises(DataError, match=r"x\.7z: member 'link': expected a plain file"):
        read(tmp_path, (tmp_path / "made.7z").read_bytes())


@pytest.mark.parametrize("headers", [False, True])
def test_encrypted_ones_are_refused(tmp_path: Path, headers: bool) -> None:
    """With or without its list of names."""
    data = seven({"a.csv": b"x\n1\n"}, password="secret", header_encryption=headers)
    with pytest.raises(DataError, match="expected an archive without a password"):
        read(tmp_path, data)


def test_bombs_are_refused(tmp_path: Path) -> None:
    """More bytes out than the archive may give, by ratio or in all, end it at the member."""
    data = seven({"small.csv": b"x\n", "bomb.csv": bytes(4 << 20)})
    with pytest.raises(DataError, match=r"member 'bomb\.csv': expected at most 200 bytes out of each"):
        read(tmp_path, data, Limits(free=1 << 20))
    with pytest.raises(DataError, match=r"member 'bomb\.csv': expected at most 1,000,000 bytes"):
        read(tmp_path, data, Limits(bytes=1_000_000))


def test_a_dictionary_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes are those of the format: two bits of mantissa for LZMA2, bytes for LZMA and PPMd; too much memory is refused."""
    assert _dictionary(LZMA2, b"\x18") == 1 << 24
    assert _dictionary(LZMA2, b"\x28") == 0xFFFFFFFF
    assert _dictionary(LZMA, b"\x5d\0\0\0\x01") == 1 << 24
    assert _dictionary(PPMD, b"\x06\0\0\0\x01") == 1 << 24
    assert _dictionary(b"\0", b"") == 0
    assert MOST_DICTIONARY > 1 << 26
    monkeypatch.setattr("mldata.archives.sevenzip.MOST_DICTIONARY", 1000)
    with pytest.raises(DataError, match="expected a dictionary of at most 1,000 bytes"):
        read(tmp_path, seven({"a.csv": b"x\n1\n"}))


@pytest.mark.no_cover
def test_who_stops_early_leaves_no_thread(tmp_path: Path) -> None:
    """A reader that gives up in the middle of a member ends the thread that decompresses."""
    file = source(tmp_path, "x.7z", seven({"a": os.urandom(2 << 20), "b": b"1"}))
    found = members(file, "7z")
    assert next(next(found).data)
    assert any(thread.name == "mldata-7z" for thread in threading.enumerate())
    found.close()  # type: ignore[attr-defined]
    assert not any(thread.name == "mldata-7z" for thread in threading.enumerate())


CONTENT = {"a.csv": b"x,y\n1,2\n" * 50, "sub/b.csv": bytes(range(256)), "c.csv": b""}
ARCHIVE = seven(CONTENT)


@pytest.mark.parametrize("length", range(6, len(ARCHIVE), 7))
def test_cut_off_anywhere(tmp_path: Path, length: int) -> None:
    """A truncated archive is an error that names it."""
    with pytest.raises(DataError, match=r"x\.7z"):
        read(tmp_path, ARCHIVE[:length])


@settings(max_examples=150, deadline=None)
@given(st.integers(6, len(ARCHIVE) - 1), st.integers(0, 7))
def test_a_flipped_bit(tmp_path_factory: pytest.TempPathFactory, position: int, bit: int) -> None:
    """Damage is an error that names the archive, or changes nothing that comes out."""
    damaged = bytearray(ARCHIVE)
    damaged[position] ^= 1 << bit
    try:
        found = read(tmp_path_factory.getbasetemp(), bytes(damaged))
    except DataError as error:
        assert "x.7z" in str(error)
    else:
        assert found == CONTENT


def test_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package, the message says what to install."""
    plain = builtins.__import__

    def none(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "py7zr":
            raise ImportError(name)
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", none)
    with pytest.raises(MissingExtra, match=r"mldata-cli\[7z\]"):
        read(tmp_path, ARCHIVE)
