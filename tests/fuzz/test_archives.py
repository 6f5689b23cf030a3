"""Archives of every make and damage, and what compressed files hold."""

from __future__ import annotations

import io
import stat
import tarfile
import warnings
import zipfile
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.archives.making import info, make_tar
from tests.fuzz.engine import Example, fuzz
from tests.fuzz.mutate import PACKERS, mutated
from tests.fuzz.stage import Stage
from tests.fuzz.test_csv import csv_file
from tests.fuzz.test_json import json_file

pytestmark = pytest.mark.no_cover

NAMES = [
    "a.csv", "b.csv", "d/a.csv", "d/e/f.csv", "A.csv", "d", "d/", "./a.csv", "../a.csv", "/a.csv", "d/../a.csv", "C:/a.csv", "a\\b.csv", "a\0b.csv", "CON", "con.csv",
    "é.csv", "e\u0301.csv", "日本.csv", "a.csv ", "a.csv.", "x" * 300 + ".csv", "d/" * 200 + "a.csv", ".hidden", "__MACOSX/a.csv", "", ".", "a\nb.csv", "a.json", "a.jsonl", "a.png", "\udcff.csv",
]  # fmt: skip
TOKENS = [
    b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7", b"ustar", b"ustar  \0", b"\0" * 512, b"\0", b"\xff", b"\xff\xff\xff\xff", b"../", b"/", b"..", b"a.csv",
    b"30 mtime=1\n", b"20 path=../x\n", b"GNU.sparse.major=1\n", b"1", b"2", b"L", b"K", b"x", b"g", b"S", b"V", b"M", b"\x80" + b"\0" * 10 + b"\1",
]  # fmt: skip
KINDS = [tarfile.REGTYPE] * 8 + [tarfile.AREGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE]  # fmt: skip


def some_files(rng: Random) -> list[tuple[str, bytes]]:
    """Names and contents, mostly harmless."""
    harmless = rng.random() < 0.8
    found: list[tuple[str, bytes]] = []
    for _ in range(rng.choice((0, 1, 1, 2, 2, 4))):
        name = rng.choice(NAMES[:4] if harmless else NAMES)
        way = rng.randrange(6)
        data = b"x,y\n1,2\n" if way < 5 else (csv_file(rng) if rng.random() < 0.5 else json_file(rng)).data
        found.append((name, data))
    return list(dict(found).items()) if rng.random() < 0.95 else found


def a_zip(rng: Random) -> bytes:
    """A zip file; modes, methods and comments vary."""
    out = io.BytesIO()

    with (
        warnings.catch_warnings(action="ignore"),
        zipfile.ZipFile(out, "w") as archive,
    ):  # names that are there twice
        for name, data in some_files(rng):
            name = name.replace("\0", "_").replace("\udcff", "_")
            made = zipfile.ZipInfo(name or "_", (2020, 1, 1, 0, 0, 0))
            if rng.random() < 0.1:
                made.external_attr = (
                    rng.choice((stat.S_IFLNK, stat.S_IFCHR, stat.S_IFDIR, stat.S_IFREG)) << 16
                )
            if rng.random() < 0.1:
                made.extra = rng.randbytes(rng.randrange(20))
            method = rng.choice(
                (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
            )
            archive.writestr(made, data, method if rng.random() < 0.9 else zipfile.ZIP_STORED)
        if rng.random() < 0.1:
            archive.comment = rng.randbytes(rng.randrange(30))
    return out.getvalue()


def a_tar(rng: Random) -> bytes:
    """A tar in one of its forms, with members of every kind, compressed at times."""
    items: list[Any] = []
    for name, data in some_files(rng):
        kind = rng.choice(KINDS) if rng.random() < 0.2 else tarfile.REGTYPE
        if kind == tarfile.REGTYPE:
            items.append((name, data))
        else:
            items.append(info(name, kind, rng.choice(NAMES)))
    form = rng.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT))
    try:
        data = make_tar(*items, format=form)
    except ValueError:  # a name that this form cannot hold
        data = make_tar(("a.csv", b"x\n1\n"))
    return data


def archive(rng: Random) -> Example:
    """An archive, at times in another one, damaged at times at each layer."""
    kind, data = _layer(rng)
    if rng.random() < 0.25:
        inner = f"in.{kind}"
        if rng.random() < 0.5:
            kind, data = "tar", make_tar((inner, data), ("a.csv", b"x\n1\n"))
        else:
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as outer:
                outer.writestr(zipfile.ZipInfo(inner), data)
            kind, data = "zip", out.getvalue()
        if rng.random() < 0.3:
            data = mutated(rng, data, TOKENS)
    name = rng.choice((f"d.{kind}", f"d.{kind}", "d.zip", "d.tar", "d", "d.gz"))
    return Example(name, data or b"\n", rng.choice(({}, {}, {"format": "csv"})))


def _layer(rng: Random) -> tuple[str, bytes]:
    kind = rng.choice(("zip", "tar"))
    data = a_zip(rng) if kind == "zip" else a_tar(rng)
    if rng.random() < 0.5:
        data = mutated(rng, data, TOKENS)
        if kind == "tar" and rng.random() < 0.7:
            data = with_checksums(data)
    if kind == "tar" and rng.random() < 0.4:
        suffix = rng.choice(list(PACKERS))
        kind, data = kind + suffix, PACKERS[suffix](data)
        if rng.random() < 0.3:
            data = mutated(rng, data, TOKENS)
    return kind, data


def with_checksums(data: bytes) -> bytes:
    """A tar whose every block that could be a header has the checksum of one, so that damage is not just that."""
    blocks = []
    for at in range(0, len(data), 512):
        block = data[at : at + 512]
        if block[257:262] == b"ustar" and len(block) == 512:
            blank = block[:148] + b" " * 8 + block[156:]
            block = block[:148] + b"%06o\0 " % sum(blank) + block[156:]
        blocks.append(block)
    return b"".join(blocks)


def test_any_archive_is_read_or_refused(tmp_path: Path) -> None:
    """In good time, by an error that names it; nothing is written but into the store."""
    before = {path.name for path in tmp_path.iterdir()}
    fuzz(archive, Stage(tmp_path), 300)
    assert {path.name for path in tmp_path.iterdir()} - before == {"store"}
