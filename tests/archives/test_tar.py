"""Tar archives: what is in them comes out whole, and what is wrong is refused by name."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldata.archives import Limits
from mldata.errors import DataError
from tests.archives.making import PACKERS, Item, info, make_tar, read

LONG = "/".join(["long" * 20] * 5) + "/é.csv"
BLOCK = tarfile.BLOCKSIZE


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("end", PACKERS)
def test_members_come_out(tmp_path: Path, end: str, format: int) -> None:
    """Every file of a tar, compressed or not, in order and whole; larger ones in pieces; ``./`` before a name is dropped."""
    files = {"a/b.csv": b"x\n1\n" * 1000, "c": b"", "big": b"0123456789" * 100_000, "e/é.txt": b"2"}
    data = make_tar(info("./", tarfile.DIRTYPE), *((f"./{n}", d) for n, d in files.items()), format=format)
    found = read(tmp_path, f"x.{end}", PACKERS[end](data))
    assert (found, list(found)) == (files, list(files))


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names(tmp_path: Path, format: int) -> None:
    """Long names in GNU's and in pax's way."""
    assert read(tmp_path, "x.tar", make_tar((LONG, b"1"), format=format)) == {LONG: b"1"}


def test_litter_is_left_out_and_checked(tmp_path: Path) -> None:
    """Folders, hidden files and litter are no members, but must be named safely too."""
    files: list[Item] = [
        ("._a.csv", b"1"),
        ("d/.git/config", b"2"),
        ("a.csv", b"3"),
        info("d", tarfile.DIRTYPE),
    ]
    assert read(tmp_path, "x.tar", make_tar(*files)) == {"a.csv": b"3"}
    with pytest.raises(DataError, match="safe"):
        read(tmp_path, "x.tar", make_tar(("../.hidden", b"1")))
    with pytest.raises(DataError, match="safe"):
        read(tmp_path, "x.tar", make_tar(info("/tmp", tarfile.DIRTYPE)))


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/../../b", "C:/x", "a\\b", "aux.txt", "a//b", "\udcff.csv"]
)
def test_unsafe_names(tmp_path: Path, name: str) -> None:
    """A name that leads out, is not UTF-8, or that some system takes for something else, is refused."""
    with pytest.raises(DataError, match=r"x\.tar: member .*expected a name that is safe"):
        read(tmp_path, "x.tar", make_tar(("ok.csv", b"1"), (name, b"2"), format=tarfile.GNU_FORMAT))


def test_names_that_collide(tmp_path: Path) -> None:
    """The same name twice, in another case, or as a file and a folder, is refused."""
    for first, second in (("a", "a"), ("a/B", "a/b"), ("A/x", "a/y"), ("a", "a/b")):
        with pytest.raises(DataError, match=r"x\.tar: member '"):
            read(tmp_path, "x.tar", make_tar((first, b"1"), (second, b"2")))


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"M", b"Q"])
def test_special_files(tmp_path: Path, kind: bytes) -> None:
    """Devices, pipes and unknown things are refused by name."""
    with pytest.raises(DataError, match=r"member 'dev/x': expected a file, link or folder"):
        read(tmp_path, "x.tar", make_tar(info("dev/x", kind)))


def test_links_inside(tmp_path: Path) -> None:
    """Links, hard and symbolic, to members before or after, also through other links, are other names of these."""
    data = make_tar(
        info("d/early", tarfile.SYMTYPE, "../a"),
        ("a", b"1"),
        info("d/hard", tarfile.LNKTYPE, "./a"),
        info("again", tarfile.SYMTYPE, "./d/early"),
    )
    assert read(tmp_path, "x.tar", data) == {"a": b"1", "d/early": "a", "d/hard": "a", "again": "a"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "..", "d", "missing", "d/link", ".hidden", ""])
def test_links_elsewhere(tmp_path: Path, kind: bytes, target: str) -> None:
    """Links out, to a folder, to nothing, to itself or to what is left out are refused by name."""
    data = make_tar(("a", b"1"), (".hidden", b"2"), ("d/b", b"3"), info("d/link", kind, target))
    with pytest.raises(DataError, match=r"x\.tar: member 'd/link': expected a link to"):
        read(tmp_path, "x.tar", data)
    circle = make_tar(info("d/link", kind, "p"), info("p", tarfile.SYMTYPE, "d/link"))
    with pytest.raises(DataError, match="circle" if kind == tarfile.LNKTYPE else "none"):
        read(tmp_path, "x.tar", circle)


def test_a_link_instead_of_a_folder(tmp_path: Path) -> None:
    """A file below a link that was planted as a folder is refused."""
    with pytest.raises(DataError, match="found both"):
        read(tmp_path, "x.tar", make_tar(("a", b"1"), info("d", tarfile.SYMTYPE, "a"), ("d/x", b"2")))


def test_sparse(tmp_path: Path) -> None:
    """Sparse members are refused in each of their formats: their size is not that of their data."""
    header = info("holes")
    header.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.size": "9", "GNU.sparse.map": "0,0"}
    old = make_tar(info("holes", tarfile.GNUTYPE_SPARSE), format=tarfile.GNU_FORMAT)
    for data in (make_tar(header), old):
        with pytest.raises(DataError, match=r"'holes': .*sparse"):
            read(tmp_path, "x.tar", data)


def test_bomb(tmp_path: Path) -> None:
    """Zeros that compress to nothing are refused, also where they are in a file that is left out, or behind the end."""
    for name in ("zeros", ".hidden"):
        data = gzip.compress(make_tar((name, bytes(8 << 20))))
        with pytest.raises(
            DataError, match=rf"x\.tgz: member '{name}': expected at most 200 bytes out of each"
        ):
            read(tmp_path, "x.tgz", data, Limits(free=1 << 20))
    with pytest.raises(DataError, match="at most 200 bytes"):
        read(tmp_path, "x.tgz", gzip.compress(make_tar(("a", b"1")) + bytes(8 << 20)), Limits(free=1 << 20))
    with pytest.raises(DataError, match="expected at most 1 members"):
        read(tmp_path, "x.tar", make_tar(("a", b"1"), ("b", b"1")), Limits(members=1))


def test_headers_without_end(tmp_path: Path) -> None:
    """A long name or a chain of headers that would fill memory is refused."""
    header = info("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    header.size = 50 << 20
    huge = header.tobuf(tarfile.GNU_FORMAT) + bytes(60 << 20)
    with pytest.raises(DataError, match="a header has more than"):
        read(tmp_path, "x.tgz", gzip.compress(huge))
    header.size = 5
    chain = (header.tobuf(tarfile.GNU_FORMAT) + b"name".ljust(BLOCK, b"\0")) * 900 + make_tar(("a", b"1"))
    with pytest.raises(DataError, match="expected a whole archive"):
        read(tmp_path, "x.tar", chain)


def test_other_bytes_behind(tmp_path: Path) -> None:
    """What is behind the end is zeros; a second archive there would be lost."""
    data = make_tar(("a", b"1"))
    assert read(tmp_path, "x.tar", data + bytes(5 * BLOCK)) == {"a": b"1"}
    for more in (b"x", make_tar(("b", b"1"))):
        with pytest.raises(DataError, match="behind the end"):
            read(tmp_path, "x.tar", data + more)


def test_a_damaged_header(tmp_path: Path) -> None:
    """A damaged header in the middle is not the end of the archive."""
    data = bytearray(make_tar(("a", b"1"), ("b", b"2"), ("c", b"3")))
    data[2 * BLOCK + 3] ^= 1
    with pytest.raises(DataError, match=r"expected a whole archive, found damage .*after member 'a'"):
        read(tmp_path, "x.tar", bytes(data))


@pytest.mark.no_cover
@pytest.mark.parametrize("end", ["tar", "tar.gz", "tar.xz", "tar.zst", "tar.bz2"])
def test_truncated_anywhere(tmp_path: Path, end: str) -> None:
    """A tar that is cut off is refused, or what is cut off was but zeros behind its end."""
    files = {"a/b.csv": b"x\n1\n" * 20, "c": bytes(range(256)) * 3}
    data = PACKERS[end](make_tar(*files.items()))
    for size in range(0, len(data), 7 if end == "tar" else 1):
        try:
            assert read(tmp_path, f"x.{end}", data[:size]) == files
            assert end != "tar" or size >= 6 * BLOCK
        except DataError as error:
            assert f"x.{end}: " in str(error)


@settings(max_examples=400)
@given(
    changes=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6),
    fix=st.booleans(),
    size=st.integers(1, 20 * BLOCK),
    format=st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
)
def test_damage_never_surprises(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[int, int]],
    fix: bool,
    size: int,
    format: int,
) -> None:
    """Any bytes changed, with the checksums of headers made right again: an error that says so, or members."""
    data = bytearray(
        make_tar(("a", b"1" * 600), (LONG, b"2"), info("l", tarfile.SYMTYPE, "a"), format=format)[:size]
    )
    for at, value in changes:
        data[at % len(data)] = value
    for start in range(0, len(data), BLOCK) if fix else ():
        block = data[start : start + BLOCK]
        if len(block) == BLOCK and b"ustar" in block:
            data[start + 148 : start + 156] = b"%06o\0 " % tarfile.calc_chksums(bytes(block))[0]  # type: ignore[attr-defined]
    try:
        read(tmp_path_factory.getbasetemp(), "x.tar", bytes(data), Limits(free=1 << 20))
    except DataError as error:
        assert "x.tar" in str(error)
