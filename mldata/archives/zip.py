"""The members of a zip file (APPNOTE.TXT 6.3.10), in the order of its directory.

The directory is read by the standard library and believed in nothing: every member's place, name, length and checksum are compared with what is
there, and members may not share bytes (as those of overlapping zip bombs do).
"""

from __future__ import annotations

import bz2
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from mldata.archives.base import BY_HAND, CHUNK, FETCH, REPACK, Guard, Member
from mldata.formats.base import SourceFile

__all__ = ["Listed", "zip_listing", "zip_members"]

_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_END = struct.Struct("<4sHHHHLLH")
ENCRYPTED = 0x1 | 0x40 | 0x2000
UTF8 = 0x800
METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflate", zipfile.ZIP_BZIP2: "bzip2"}
OTHERS = {1: "shrink", 6: "implode", 9: "deflate64", 14: "lzma", 93: "zstd", 95: "xz", 98: "ppmd", 99: "aes"}
SYSTEMS_WITH_MODES = (3, 19)
"""Unix and macOS: the high half of the external attributes is ``st_mode``."""
UNREADABLE = (
    zipfile.BadZipFile,
    NotImplementedError,
    struct.error,
    ValueError,
    OverflowError,
    EOFError,
    LookupError,
)
"""What the standard library raises for a damaged directory (``UnicodeDecodeError`` is a ``ValueError``)."""


class _Place(NamedTuple):
    """Where the data of a member is."""

    path: str
    info: zipfile.ZipInfo
    start: int


def zip_members(file: SourceFile, guard: Guard) -> Iterator[Member]:
    """See :func:`mldata.archives.members`. Everything but the data is checked before the first member."""
    with open(file.path, "rb") as handle:
        for place in _places(handle, file, guard):
            yield Member(place.path, _data(handle, place, guard))


@dataclass(frozen=True)
class Listed:
    """A member, by the directory alone: nothing but that was read."""

    path: str
    size: int
    """Bytes, as the directory says."""
    open: Callable[[BinaryIO], Iterator[bytes]]
    """Gives its data out of the archive, which is handed over open. Raises ``DataError`` where it is not as the directory says."""


def zip_listing(handle: BinaryIO, file: SourceFile, guard: Guard) -> list[Listed]:
    """The members of an archive that is elsewhere, in the order of its directory. Members that hide behind each other are found as they are opened."""

    def opened(info: zipfile.ZipInfo, name: str, path: str) -> Callable[[BinaryIO], Iterator[bytes]]:
        def data(handle: BinaryIO) -> Iterator[bytes]:
            return _data(handle, _Place(path, info, _start(handle, info, name, guard)), guard)

        return data

    listed = []
    for info in _directory(handle, file, guard)[0]:
        name = _name(info)
        if not name.endswith("/"):
            _check_kind(info, name, guard)
            if (path := guard.path(name)) is not None:
                listed.append(Listed(path, info.file_size, opened(info, name, path)))
    guard.finish()
    return listed


def _directory(handle: BinaryIO, file: SourceFile, guard: Guard) -> tuple[list[zipfile.ZipInfo], int]:
    """The members, and where the directory begins."""
    try:
        with zipfile.ZipFile(handle) as archive:
            infos, end, comment = archive.infolist(), archive.start_dir, archive.comment
    except UnicodeDecodeError:
        raise guard.damaged("a name is not in UTF-8, though its member says so") from None
    except UNREADABLE as error:
        raise guard.damaged(error) from None
    _check_end(handle, file, guard, len(infos), len(comment))
    return infos, end


def _places(handle: BinaryIO, file: SourceFile, guard: Guard) -> list[_Place]:
    infos, end = _directory(handle, file, guard)
    kept: list[_Place] = []
    spans = []
    for info in infos:
        name = _name(info)
        start = _start(handle, info, name, guard)
        spans.append((info.header_offset, start + info.compress_size, name))
        if name.endswith("/"):
            guard.seen(name)
            guard.safe(name.rstrip("/"))
            if info.file_size:
                raise guard.refuse(name, "expected a folder to be empty", "found data in it", REPACK)
            continue
        _check_kind(info, name, guard)
        path = guard.path(name)
        if path is not None:
            kept.append(_Place(path, info, start))
    spans.sort()
    if spans and spans[0][0] != 0:
        found = f"found {spans[0][0]:,} other bytes"
        raise guard.refuse(spans[0][2], "expected the first member at the start of the file", found, FETCH)
    ends = [*(span[0] for span in spans[1:]), end]
    for (_, stop, name), most in zip(spans, ends, strict=False):
        if stop > most:
            raise guard.refuse(
                name, "expected members side by side", "found that it overlaps the next", BY_HAND
            )
    guard.finish()
    return kept


def _check_end(handle: BinaryIO, file: SourceFile, guard: Guard, count: int, comment: int) -> None:
    """The last record is the end of the file, and counts the members: else some would be passed over in silence."""
    handle.seek(max(file.size - _END.size - comment, 0))
    record = handle.read(_END.size)
    if len(record) < _END.size or record[:4] != b"PK\5\6" or _END.unpack(record)[-1] != comment:
        raise guard.damaged("there are other bytes behind the end of the archive")
    declared = _END.unpack(record)[4]
    if declared not in (count & 0xFFFF, 0xFFFF):
        raise guard.damaged(f"its end declares {declared:,} members, and its directory lists {count:,}")


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it was meant: without the flag for UTF-8 it should be code page 437, and most often is UTF-8."""
    if info.flag_bits & UTF8:
        return info.orig_filename
    raw = info.orig_filename.encode("cp437")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return info.orig_filename


def _start(handle: BinaryIO, info: zipfile.ZipInfo, name: str, guard: Guard) -> int:
    """Where the data of a member begins, by its local header."""
    raw = info.orig_filename.encode("utf-8" if info.flag_bits & UTF8 else "cp437", "surrogateescape")
    handle.seek(max(info.header_offset, 0))
    header = handle.read(_LOCAL.size + len(raw))
    fields = _LOCAL.unpack_from(header) if len(header) == _LOCAL.size + len(raw) else None
    if info.header_offset < 0 or fields is None or fields[0] != b"PK\3\4":
        raise guard.refuse(name, "expected it where the directory says", "found other bytes", FETCH)
    if fields[9] != len(raw) or header[_LOCAL.size :] != raw or fields[3] != info.compress_type:
        raise guard.refuse(
            name, "expected it as the directory says", "found another name or compression", FETCH
        )
    if (fields[2] | info.flag_bits) & ENCRYPTED:
        raise guard.refuse(name, "expected a member without a password", "found it encrypted", BY_HAND)
    return int(info.header_offset + _LOCAL.size + fields[9] + fields[10])


def _check_kind(info: zipfile.ZipInfo, name: str, guard: Guard) -> None:
    mode = info.external_attr >> 16 if info.create_system in SYSTEMS_WITH_MODES else 0
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        found = "found a link" if stat.S_ISLNK(mode) else "found a device, pipe or folder"
        raise guard.refuse(name, "expected a file", found, REPACK)
    if info.compress_type not in METHODS:
        method = OTHERS.get(info.compress_type, "unknown")
        found = f"found method {info.compress_type} ({method})"
        hint = "pack it again with `zip`; or " + BY_HAND
        raise guard.refuse(name, f"expected {', '.join(METHODS.values())}", found, hint)


def _data(handle: BinaryIO, place: _Place, guard: Guard) -> Iterator[bytes]:
    info, size, crc = place.info, 0, 0
    handle.seek(place.start)
    try:
        for data in _decoded(_raw(handle, info.compress_size), info.compress_type):
            size += len(data)
            guard.grow(place.path, len(data))
            if size > info.file_size:
                break
            crc = zlib.crc32(data, crc)
            yield data
    except (EOFError, OSError, zlib.error) as error:
        raise guard.refuse(place.path, "expected its data whole", f"found damage ({error})", FETCH) from None
    if size != info.file_size:
        found = f"found {'more' if size > info.file_size else f'{size:,}'}"
        raise guard.refuse(place.path, f"expected {info.file_size:,} bytes as declared", found, FETCH)
    if crc != info.CRC:
        raise guard.refuse(
            place.path, f"expected the checksum {info.CRC:08x}", f"found {crc:08x}: it is damaged", FETCH
        )


def _raw(handle: BinaryIO, left: int) -> Iterator[bytes]:
    while left:
        data = handle.read(min(left, CHUNK))
        if not data:
            raise EOFError("the file ends")
        left -= len(data)
        yield data


def _decoded(raw: Iterator[bytes], method: int) -> Iterator[bytes]:
    """At most :data:`CHUNK` bytes at a time. Raises ``EOFError``, ``OSError`` or ``zlib.error`` unless the data ends where the member does."""
    if method == zipfile.ZIP_STORED:
        yield from raw
        return
    inflate = zlib.decompressobj(-15) if method == zipfile.ZIP_DEFLATED else None
    bunzip = bz2.BZ2Decompressor() if inflate is None else None
    decoder = inflate or bunzip
    assert decoder is not None
    for data in raw:
        if decoder.eof:
            raise EOFError("there is more behind its end")
        while True:
            out = decoder.decompress(data, CHUNK)
            data = inflate.unconsumed_tail if inflate is not None else b""
            if out:
                yield out
            if decoder.eof or (len(out) < CHUNK if bunzip is None else bunzip.needs_input):
                break
    if not decoder.eof:
        raise EOFError("it ends early")
    if decoder.unused_data:
        raise EOFError("there is more behind its end")
