"""The members of a tar archive (POSIX pax and ustar, GNU tar), front to back, from a stream that is read once.

Headers are read by the standard library, which takes a damaged one for the end of the archive; here that is an error, as is anything but zeros
behind the end. A hard or symbolic link that stays inside is another name of the member that it leads to.
"""

from __future__ import annotations

import posixpath
import tarfile
from collections.abc import Iterator
from typing import Any

from mldata.archives.base import BY_HAND, CHUNK, FETCH, REPACK, Guard, Member

__all__ = ["tar_members"]

MOST_HEADER = 1 << 20
"""Bytes of headers between two members: long names and pax records are held in memory."""
BUFFER = 256 * tarfile.BLOCKSIZE
UNREADABLE = (tarfile.TarError, ValueError, LookupError, ArithmeticError, RecursionError, TypeError, EOFError)
"""What the standard library raises for headers that make no sense."""
KINDS = {
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    b"M": "the rest of a member of another volume",
}


class _Damaged(Exception):
    """A header that is none. Not an error of ``tarfile``, which would take some of those for the end."""


class _Info(tarfile.TarInfo):
    """A header, told apart from the end of the archive."""

    @classmethod
    def fromtarfile(
        cls, tarfile_: Any
    ) -> _Info:  # the recursion of long names and pax headers comes by here, too
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.EmptyHeaderError:  # type: ignore[attr-defined]
            raise _Damaged("it is cut off: there is no end of the archive") from None
        except UNREADABLE as error:
            raise _Damaged(str(error) or type(error).__name__) from None


class _Stream:
    """What is left of an iterator of bytes, as a file."""

    def __init__(self, chunks: Iterator[bytes], guard: Guard) -> None:
        self._chunks, self._guard = chunks, guard
        self._held = memoryview(b"")
        self.member = "(the first)"
        self.headers: int | None = None
        """Bytes that headers may still have; None inside a member."""

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes, none at the end only."""
        if not self._held:
            data = next(self._chunks, b"")
            self._guard.grow(self.member, len(data))
            self._held = memoryview(data)
        data, self._held = bytes(self._held[:size]), self._held[size:]
        if self.headers is not None:
            self.headers -= len(data)
            if self.headers < 0:
                raise _Damaged(f"a header has more than {MOST_HEADER:,} bytes, after {self.member!r}")
        return data


def tar_members(chunks: Iterator[bytes], guard: Guard) -> Iterator[Member]:
    """See :func:`mldata.archives.members`."""
    stream: Any = _Stream(chunks, guard)
    links: dict[str, tuple[str, str]] = {}
    files: set[str] = set()
    try:
        stream.headers = MOST_HEADER
        with tarfile.open(
            fileobj=stream,
            mode="r|",
            bufsize=BUFFER,
            tarinfo=_Info,
            encoding="utf-8",
            errors="surrogateescape",
        ) as archive:
            while (info := archive.next()) is not None:
                vars(archive)["members"] = []  # it would keep all
                stream.member, stream.headers = info.name, None
                path = _check(info, guard)
                if info.isreg():
                    data = _data(archive, info, guard)
                    if path is not None:
                        files.add(path)
                        yield Member(path, data)
                    for _ in data:
                        pass  # what is left out is read, so that it is checked
                elif path is not None and (info.islnk() or info.issym()):
                    links[path] = (_target(info, path, guard), info.name)
                stream.headers = MOST_HEADER
            stream.headers = None
            _check_rest(archive, guard)
    except (_Damaged, *UNREADABLE) as error:
        raise guard.damaged(f"{error}, after member {stream.member[:200]!r}") from None
    guard.finish()
    for path, (_, name) in links.items():
        yield Member(path, iter(()), _follow(path, name, links, files, guard))


def _check(info: tarfile.TarInfo, guard: Guard) -> str | None:
    """The path of a file or link that is taken. Raises ``DataError`` for what must not be there."""
    name = info.name
    if info.isdir():
        guard.seen(name)
        if name not in (".", "./"):
            guard.safe(name.rstrip("/") or name)
        return None
    if info.issparse() or any(key.startswith("GNU.sparse") for key in info.pax_headers):
        raise guard.refuse(
            name,
            "expected a plain file",
            "found a sparse one",
            "pack it again without `--sparse`; or " + BY_HAND,
        )
    if not (info.isreg() or info.islnk() or info.issym()):
        found = KINDS.get(info.type, f"something of the unknown type {info.type!r}")
        raise guard.refuse(name, "expected a file, link or folder", f"found {found}", REPACK)
    if info.size < 0:
        raise guard.refuse(name, "expected a size", f"found {info.size}", REPACK)
    return guard.path(name)


def _data(archive: tarfile.TarFile, info: tarfile.TarInfo, guard: Guard) -> Iterator[bytes]:
    file = archive.extractfile(info)
    assert file is not None  # it is a regular file
    try:
        while data := file.read(CHUNK):
            yield data
    except UNREADABLE as error:
        raise guard.refuse(info.name, "expected its data whole", f"found damage ({error})", FETCH) from None


def _target(info: tarfile.TarInfo, path: str, guard: Guard) -> str:
    """Where a link leads to: a path in the archive. A symbolic link starts from its folder, a hard link from the top."""
    start = posixpath.dirname(path) if info.issym() else ""
    target = posixpath.normpath(posixpath.join(start, info.linkname))
    if target.startswith("/") or target.split("/")[0] == "..":
        raise guard.refuse(
            info.name,
            "expected a link to a member of the archive",
            f"found that it leads out ({info.linkname[:200]!r})",
            REPACK,
        )
    return target


def _follow(path: str, name: str, links: dict[str, tuple[str, str]], files: set[str], guard: Guard) -> str:
    target, passed = path, set[str]()
    while target in links and target not in passed:
        passed.add(target)
        target = links[target][0]
    if target in files:
        return target
    found = "found a circle" if target in passed else f"found that {target[:200]!r} is none that is taken"
    raise guard.refuse(name, "expected a link to a file in the archive", found, REPACK)


def _check_rest(archive: tarfile.TarFile, guard: Guard) -> None:
    """Behind the end are zeros, as many as the writer's blocks want; another archive put behind would be lost."""
    stream: Any = archive.fileobj
    while data := stream.read(BUFFER):
        if data.strip(b"\0"):
            raise guard.damaged("there are other bytes behind the end of the archive")
