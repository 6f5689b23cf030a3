"""Archives as bytes, good ones and such as no tool would make."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa

from mldata.archives import LIMITS, Limits, archive_kind, members
from mldata.formats.base import SourceFile

Item = tuple[str, bytes] | tarfile.TarInfo
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": lambda data: gzip.compress(data, mtime=0),
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
    "tar.zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}
"""Suffix → what makes such a file of a tar."""


def make_zip(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file, always of the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, method)
    return out.getvalue()


def info(name: str, type: bytes = tarfile.REGTYPE, linkname: str = "") -> tarfile.TarInfo:
    """The header of a member of a tar."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname = type, linkname
    return made


def make_tar(*items: Item, format: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of files (name, data) and other members."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for item in items:
            if isinstance(item, tarfile.TarInfo):
                archive.addfile(item)
            else:
                header = info(item[0])
                header.size = len(item[1])
                archive.addfile(header, io.BytesIO(item[1]))
    return out.getvalue()


def source(folder: Path, name: str, data: bytes) -> SourceFile:
    """An archive as a fetched file."""
    path = folder / "archive"
    path.write_bytes(data)
    return SourceFile(name, path, "0" * 64, len(data))


def read(folder: Path, name: str, data: bytes, limits: Limits = LIMITS) -> dict[str, bytes | str]:
    """Everything in an archive: path → content, or the path that a link leads to."""
    file = source(folder, name, data)
    kind = archive_kind(file)
    assert kind is not None
    return {m.path: m.target or b"".join(m.data) for m in members(file, kind, limits)}
