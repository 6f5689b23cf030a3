"""Zip files: what is in them comes out whole, and what is wrong is refused by name."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.archives import Limits
from mldata.errors import DataError
from tests.archives.making import make_zip, read

GOOD = {"a/b.csv": b"x\n1\n" * 1000, "c.txt": b"", "é/ü.txt": bytes(range(256)) * 20}


def patched(data: bytes, old: bytes, new: bytes, count: int = -1) -> bytes:
    assert old in data and len(old) == len(new)
    return data.replace(old, new, count)


def entry(data: bytes, which: int = 0) -> int:
    """Where an entry of the central directory is."""
    at = -1
    for _ in range(which + 1):
        at = data.index(b"PK\1\2", at + 1)
    return at


def poke(data: bytes, at: int, form: str, *values: int) -> bytes:
    """Overwrite fields."""
    return data[:at] + struct.pack(form, *values) + data[at + struct.calcsize(form) :]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_members_come_out(tmp_path: Path, method: int) -> None:
    """Every file of a zip, of each supported method, in order and whole; larger ones in pieces."""
    files = GOOD | {"big": b"0123456789" * 100_000}
    found = read(tmp_path, "x.zip", make_zip(files, method))
    assert (found, list(found)) == (files, list(files))


@pytest.mark.no_cover
@settings(max_examples=40)
@given(
    files=st.dictionaries(
        st.from_regex(r"x[a-w]{0,2}(/[0-9]x){0,2}", fullmatch=True), st.binary(max_size=300)
    )
)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    """Any files come back from a zip, unless one is a folder of another."""
    folder = tmp_path_factory.getbasetemp()
    if any(other.startswith(f"{name}/") for name in files for other in files):
        with pytest.raises(DataError, match="found both"):
            read(folder, "x.zip", make_zip(files))
    else:
        assert read(folder, "x.zip", make_zip(files)) == files


def test_zip64_and_streamed(tmp_path: Path) -> None:
    """Sizes in extra fields, and sizes that follow the data, are read."""
    out = io.BytesIO()
    with zipfile.ZipFile(Unseekable(out), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in GOOD.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(data)
    assert read(tmp_path, "x.zip", out.getvalue()) == GOOD


class Unseekable(io.RawIOBase):
    """A pipe."""

    def __init__(self, out: io.BytesIO) -> None:
        self.out = out

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self.out.write(data)


def test_folders_and_litter_are_left_out(tmp_path: Path) -> None:
    """Folders, hidden files and what archivers leave behind are no members."""
    litter = {"d/": b"", "__MACOSX/._a.csv": b"1", ".DS_Store": b"2", "d/Thumbs.db": b"3", "d/a.csv": b"4"}
    assert read(tmp_path, "x.zip", make_zip(litter)) == {"d/a.csv": b"4"}


def test_names_without_the_flag_for_utf8(tmp_path: Path) -> None:
    """They are UTF-8 if they can be, as most tools mean them, else code page 437."""
    data = make_zip({"xx.txt": b"1"})
    assert list(read(tmp_path, "x.zip", patched(data, b"xx", "é".encode()))) == ["é.txt"]
    assert list(read(tmp_path, "x.zip", patched(data, b"xx", b"\x82\x84"))) == ["éä.txt"]


@pytest.mark.parametrize(
    "name",
    [
        "../evil.csv",
        "/etc/passwd",
        "a/../../b",
        "C:/x.csv",
        "c:x",
        "a\\b.csv",
        "con",
        "a/nul.txt",
        "a//b",
        "a ",
        "x" * 256,
        "a/./b",
    ],
)
def test_unsafe_names(tmp_path: Path, name: str) -> None:
    """A name that leads out, or that some system takes for something else, is refused; so is one that nobody would extract."""
    with pytest.raises(DataError, match=r"x\.zip: member .*expected a name that is safe") as error:
        read(tmp_path, "x.zip", make_zip({"ok.csv": b"1", name: b"2"}))
    assert repr(name)[:50] in str(error.value) and "the source" in str(error.value)
    with pytest.raises(DataError, match="expected a name that is safe"):
        read(tmp_path, "x.zip", make_zip({f"{name}/.hidden": b"2"}))


def test_a_name_that_is_not_in_the_encoding_it_says(tmp_path: Path) -> None:
    """It is called so, in words that are not a library's."""
    data = patched(make_zip({"é.csv": b"x\n1\n"}), "é".encode(), b"\xe9\xff")
    with pytest.raises(
        DataError, match=r"x\.zip: expected a whole archive, found damage \(a name is not in UTF-8"
    ):
        read(tmp_path, "x.zip", data)


def test_a_name_with_a_nul(tmp_path: Path) -> None:
    """A name is not cut at a NUL."""
    with pytest.raises(DataError, match="NUL"):
        read(tmp_path, "x.zip", patched(make_zip({"a.csv_.png": b"1"}), b"csv_", b"csv\0"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "names", [["a/B.csv", "a/b.csv"], ["A/1", "a/2"], ["\u00e9", "e\u0301"], ["a", "a/b"]]
)
def test_names_that_collide(tmp_path: Path, names: list[str]) -> None:
    """Names that a filesystem may take for one are refused, and both are named."""
    with pytest.raises(DataError, match=r"x\.zip: member"):
        read(tmp_path, "x.zip", make_zip(dict.fromkeys(names, b"1")))


def test_a_name_twice(tmp_path: Path) -> None:
    """No member hides another one."""
    with pytest.raises(DataError, match=r"member 'a1\.csv': expected each member once"):
        read(tmp_path, "x.zip", patched(make_zip({"a1.csv": b"1", "a2.csv": b"2"}), b"a2.csv", b"a1.csv"))


@pytest.mark.parametrize("flag", [0x1, 0x41, 0x2000])
def test_encrypted(tmp_path: Path, flag: int) -> None:
    """A member that needs a password is refused by its name."""
    data = make_zip({"plain.csv": b"0", "secret.csv": b"1"})
    with pytest.raises(DataError, match=r"'secret\.csv': .*encrypted"):
        read(tmp_path, "x.zip", poke(data, entry(data, 1) + 8, "<H", flag))


@pytest.mark.parametrize(("mode", "what"), [(0o120777, "link"), (0o020600, "device"), (0o010600, "pipe")])
def test_special_files(tmp_path: Path, mode: int, what: str) -> None:
    """Links and devices are refused."""
    data = make_zip({"a": b"/etc/passwd"})
    with pytest.raises(DataError, match=rf"'a': expected a file, found .*{what}"):
        read(tmp_path, "x.zip", poke(data, entry(data) + 38, "<L", mode << 16))


def test_methods_that_are_not_read(tmp_path: Path) -> None:
    """A method that is not read is named."""
    with pytest.raises(DataError, match=r"'a': expected stored, deflate, bzip2, found method 14 \(lzma\)"):
        read(tmp_path, "x.zip", make_zip({"a": b"1"}, zipfile.ZIP_LZMA))


def test_bomb(tmp_path: Path) -> None:
    """Zeros that deflate to nothing are refused before they are all out, with ratio, limit and what to do."""
    data = make_zip({"small.csv": b"1", "zeros": bytes(4 << 20)})
    with pytest.raises(DataError) as error:
        read(tmp_path, "x.zip", data, Limits(free=1 << 20))
    text = str(error.value)
    assert "x.zip: member 'zeros': expected at most 200 bytes out of each byte" in text and "to 1" in text
    assert "unpack it by hand" in text
    assert read(tmp_path, "x.zip", data)["zeros"] == bytes(4 << 20)
    with pytest.raises(DataError, match="expected at most 1,000,000 bytes in an archive"):
        read(tmp_path, "x.zip", data, Limits(bytes=1_000_000))
    with pytest.raises(DataError, match="'zeros': expected at most 1 members"):
        read(tmp_path, "x.zip", data, Limits(members=1))


def test_overlapping_members(tmp_path: Path) -> None:
    """Members that share bytes, in whole or by quoting each other's headers, are refused."""
    data = make_zip({"a1": b"1" * 50, "a2": b"1" * 50}, zipfile.ZIP_STORED)
    local = poke(data, entry(data, 1) + 42, "<L", 0)
    with pytest.raises(DataError, match="another name"):
        read(tmp_path, "x.zip", local)
    both = poke(data, entry(data) + 20, "<LL", 50 + 32 + 50, 50 + 32 + 50)
    with pytest.raises(DataError, match="'a1': expected members side by side"):
        read(tmp_path, "x.zip", both)


@pytest.mark.parametrize("delta", [-1, 1])
def test_declared_size(tmp_path: Path, delta: int) -> None:
    """A member of more or fewer bytes than declared is refused, though its checksum be right."""
    content = b"12345" * 9
    data = make_zip({"a": content})
    data = poke(data, entry(data) + 24, "<L", len(content) + delta)
    data = poke(data, entry(data) + 16, "<L", zlib.crc32(content[: len(content) + delta]))
    with pytest.raises(DataError, match=r"'a': expected 4[46] bytes as declared"):
        read(tmp_path, "x.zip", data)


def test_checksum(tmp_path: Path) -> None:
    """A byte that changed is noticed."""
    data = patched(make_zip({"a": b"12345"}, zipfile.ZIP_STORED), b"12345", b"12X45")
    with pytest.raises(DataError, match=r"'a': expected the checksum"):
        read(tmp_path, "x.zip", data)


def test_more_in_the_data_of_a_member(tmp_path: Path) -> None:
    """Bytes behind the end of the compressed data, or too few of them, are no member."""
    data = make_zip({"a": b"12345" * 9})
    size = struct.unpack_from("<L", data, entry(data) + 20)[0]
    with pytest.raises(DataError, match="ends early"):
        read(tmp_path, "x.zip", poke(data, entry(data) + 20, "<L", size - 1))
    longer = data[: 31 + size] + b"x" + data[31 + size :]
    longer = poke(longer, entry(longer) + 20, "<L", size + 1)
    with pytest.raises(DataError, match="more behind its end"):
        read(tmp_path, "x.zip", poke(longer, len(longer) - 6, "<L", entry(longer)))


def test_other_bytes_around(tmp_path: Path) -> None:
    """Bytes before the first member or behind the end are refused: two archives in a row would lose the first."""
    data = make_zip({"a": b"1"})
    for both in (data + b"x", data + data):
        with pytest.raises(DataError, match=r"x\.zip"):
            read(tmp_path, "x.zip", both)
    with pytest.raises(DataError, match="declares 2 members"):
        read(tmp_path, "x.zip", poke(data, len(data) - 12, "<H", 2))


def test_truncated_anywhere(tmp_path: Path) -> None:
    """A zip that is cut off at any byte is refused."""
    data = make_zip({"a/b.csv": b"x\n1\n" * 20, "c": b"22"})
    for size in range(len(data)):
        with pytest.raises(DataError):
            read(tmp_path, "x.zip", data[:size])


@settings(max_examples=400)
@given(changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6))
def test_damage_never_surprises(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    """Any bytes changed: an error that says so, or the same content under whatever names."""
    data = bytearray(make_zip({"a/b.csv": b"x\n1\n" * 20, "c": b"22", "d": b"3" * 50}))
    for at, value in changes:
        data[at % len(data)] = value
    try:
        found = read(tmp_path_factory.getbasetemp(), "x.zip", bytes(data), Limits(free=1 << 20))
    except DataError:
        return
    assert set(found.values()) <= {b"x\n1\n" * 20, b"22", b"3" * 50}
