"""Archives: which files are archives, and what is in them, as streams.

An archive is told by its name and its first bytes together: a name that ends as archives' do (:data:`SUFFIXES`), one that ends as a compressed
file's (``data.gz`` may hold a tar), or one without a suffix. So a workbook (``.xlsx``), an ``.npz`` or a ``.jar``, which are zip files inside,
stays what it is.

Invariant: nothing of an archive is believed. Names, sizes and checksums are checked before the end of an archive is reached without an error, and
no member is held in memory or written anywhere but where the caller puts it.
"""

from __future__ import annotations

import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

from mldata.archives.base import CHUNK, LIMITS, Guard, Limits, Member
from mldata.errors import DataError, Where
from mldata.formats import COMPRESSED, HEAD_BYTES, find_format
from mldata.formats.base import Recode, SourceFile
from mldata.formats.recode import compression, recode

__all__ = [
    "EXTRACTOR",
    "LIMITS",
    "MOST_NESTED",
    "SUFFIXES",
    "TAR_SUFFIXES",
    "Limits",
    "Member",
    "archive_kind",
    "may_be_archive",
    "members",
    "too_deep",
]

EXTRACTOR = 2
"""Raised whenever the same archive would give other members; enters the key of the action that expands it."""
MOST_NESTED = 1
"""Archives around an archive."""
TARS = tuple(f".tar{end}" for end in COMPRESSED)
TAR_SUFFIXES = (".tar", ".tgz", ".taz", ".tbz", ".tbz2", ".tb2", ".txz", ".tzst", *TARS)
SUFFIXES = (".zip", ".7z", *TAR_SUFFIXES)
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
"""A member, and the end of a zip file without members (APPNOTE.TXT 4.3.7, 4.3.16)."""
SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"


def may_be_archive(name: str, head: Callable[[], bytes]) -> bool:
    """Whether a file is worth a look by :func:`archive_kind`. ``head`` gives its first bytes, if the name says nothing."""
    base = name.rsplit("/", 1)[-1].lower()
    if base.endswith((*SUFFIXES, *COMPRESSED)):
        return find_format(name, b"") is None
    if "." in base:
        return False
    return find_format(name, head()[:HEAD_BYTES]) is None


def archive_kind(file: SourceFile) -> str | None:
    """``zip``, ``7z`` or ``tar`` (compressed or not); None for what is no archive.

    Raises:
        DataError: the name says that it is an archive, and the content is something else, damaged, or of a kind that is not read here.
    """
    named = file.name.lower().endswith(SUFFIXES)
    with open(file.path, "rb") as handle:
        block = handle.read(tarfile.BLOCKSIZE)
    if block.startswith(ZIP):
        return "zip"
    if block.startswith(SEVEN_ZIP):
        return "7z"
    packed = compression(file)
    if packed is not None:
        try:
            block = _first_block(file, packed)
        except DataError:
            if named:
                raise
            return None
    empty = block == bytes(tarfile.BLOCKSIZE) and file.name.lower().endswith(TAR_SUFFIXES)
    if empty or _is_tar(block):
        return "tar"
    if not named:
        return None
    found = "an empty file (0 bytes)" if not file.size else "something else"
    if packed is not None:
        found = f"a {packed.how} file of something else"
    raise DataError(
        f"expected a zip, tar or 7z archive, found {found}",
        where=Where(file.name),
        hint="fetch the file again, or give it the name of what it is",
    )


def members(
    file: SourceFile, kind: str, limits: Limits = LIMITS, ignored: Counter[str] | None = None
) -> Iterator[Member]:
    """The files in an archive, in its order; the data of each is to be taken before the next is asked for.

    Folders, and hidden files and the like (:mod:`mldata.litter`), are left out, but must be named safely as well. Only when the iterator
    ends without an error is the archive whole and sound, and only then may what came out of it be used.

    Args:
        ignored: is given what was left out, by kind.

    Raises:
        DataError: naming archive and member: it is refused (see :class:`mldata.archives.base.Guard`), damaged or cut off.
    """
    guard = Guard(file, limits, Counter() if ignored is None else ignored)
    if kind == "zip":
        from mldata.archives.zip import zip_members

        yield from zip_members(file, guard)
    elif kind == "7z":
        from mldata.archives.sevenzip import seven_members

        yield from seven_members(file, guard)
    else:
        from mldata.archives.tar import tar_members

        yield from tar_members(_content(file), guard)


def too_deep(name: str) -> DataError:
    """The error about an archive inside more than :data:`MOST_NESTED` others."""
    return DataError(
        "expected at most one archive around an archive, found more",
        where=Where(name),
        hint="unpack the outermost one by hand and name the folder as the source",
    )


def _content(file: SourceFile) -> Iterator[bytes]:
    packed = compression(file)
    if packed is not None:
        yield from recode(file, packed)
        return
    with open(file.path, "rb") as handle:
        while data := handle.read(CHUNK):
            yield data


def _first_block(file: SourceFile, packed: Recode) -> bytes:
    block = b""
    for data in recode(file, packed):
        block += data[: tarfile.BLOCKSIZE]
        if len(block) >= tarfile.BLOCKSIZE:
            break
    return block[: tarfile.BLOCKSIZE]


def _is_tar(block: bytes) -> bool:
    """Whether this is the header of a member: its checksum says so (POSIX.1-1988 has no magic number)."""
    with suppress(tarfile.TarError, ValueError):
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        return True
    return False
