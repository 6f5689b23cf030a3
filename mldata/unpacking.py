"""Archives among files that are only looked at: what is in them stands in their place.

Of a zip file the directory is read, and of the members what is asked for. Others have no directory: the first of them is copied as a whole. Of a tar
archive that is too large for that the first members are taken; another one is left out. Both are said. A file without a suffix is taken for no archive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from mldata import beginning
from mldata.archives import LIMITS, SUFFIXES, TAR_SUFFIXES, archive_kind, may_be_archive, members
from mldata.archives.base import CHUNK, Guard
from mldata.archives.tar import tar_members
from mldata.archives.zip import Listed, zip_listing
from mldata.beginning import Openable, as_file, fetch_whole
from mldata.errors import SourceError
from mldata.formats import COMPRESSED, HEAD_BYTES
from mldata.formats.base import SourceFile
from mldata.formats.heads import UNKNOWN_SIZE
from mldata.formats.recode import compression, recode

if TYPE_CHECKING:
    from io import BufferedReader

__all__ = ["Unpacked", "unpack"]

ZIP = b"PK"
MOST_ARCHIVES = 8
"""Archives with a directory that are looked into."""
FIRST_MEMBERS = 8 << 20
"""Bytes of members that are taken of a large tar archive: no further one is begun then."""


class Unpacked:
    """Files, with those that archives hold in the place of these.

    Args:
        files: in order.
        scratch: a folder for what has to be copied.
    """

    def __init__(self, files: Sequence[Openable], scratch: Path) -> None:
        self.archives: set[str] = set()
        self.warnings: list[str] = []
        self._scratch, self._left, self._copied = scratch, list[str](), 0
        self._refusals: list[SourceError] = []
        self.files = [each for file in files for each in self._opened(file)]
        if self._refusals and not self.files:
            raise self._refusals[0]
        if self._left:
            more = f" and {len(self._left) - 1:,} more" if len(self._left) > 1 else ""
            self.warnings.append(f"archives that were not looked into: {self._left[0]}{more}")

    def _opened(self, file: Openable) -> Iterator[Openable]:
        if not file.name.lower().endswith(SUFFIXES):
            if _is_packed(file) and not self._copied:  # a tar may be inside
                yield from self._copy(file)
            else:
                yield file
        elif _head(file).startswith(ZIP):
            if len(self.archives) >= MOST_ARCHIVES:
                self._left.append(file.name)
                return
            self.archives.add(file.name)
            yield from _zipped(file)
        elif self._copied:
            self._left.append(file.name)
        else:
            yield from self._copy(file)

    def _copy(self, file: Openable) -> Iterator[Openable]:
        """The members of an archive without a directory; the file itself if it is no archive."""
        try:
            whole = fetch_whole(file, self._scratch / "archive")
        except SourceError as error:
            if first := self._first_members(file):
                yield from first
                return
            self._refusals.append(error)
            self._left.append(file.name)
            return
        if (kind := archive_kind(whole)) is None:
            yield file
            return
        self._copied += 1
        self.archives.add(file.name)
        paths: dict[str, Path] = {}
        for number, member in enumerate(members(whole, kind)):
            if member.target is not None:
                paths[member.path] = paths[member.target]
                continue
            paths[member.path] = self._scratch / f"member-{number}"
            with open(paths[member.path], "wb") as out:
                out.writelines(member.data)
        for path, place in paths.items():
            yield Openable(f"{file.name}/{path}", place.stat().st_size, partial(_local, place))

    def _first_members(self, file: Openable) -> list[Openable]:
        """The first members of a tar archive, as far as they are small; none of any other."""
        if not file.name.lower().endswith(TAR_SUFFIXES):
            return []
        taken: list[Openable] = []
        with file.open() as raw:
            source = SourceFile(file.name, Path(), "", file.size or UNKNOWN_SIZE)
            packed = compression(source, raw)
            plain = iter(lambda: raw.read(CHUNK), b"") if packed is None else recode(source, packed, raw)
            found = tar_members(plain, Guard(source, LIMITS, Counter()))
            left = FIRST_MEMBERS
            for member in found:
                if member.target is not None:
                    continue
                path = self._scratch / f"member-{len(taken)}"
                with open(path, "wb") as out:
                    size = sum(map(out.write, within(member.data, beginning.WHOLE)))
                if size > beginning.WHOLE:
                    break
                taken.append(Openable(f"{file.name}/{member.path}", size, partial(_local, path)))
                left -= size
                if left <= 0:
                    break
        if taken:
            self._copied += 1
            self.archives.add(file.name)
            self.warnings.append(f"only the first {len(taken):,} files in {file.name} were looked at")
        return taken


def within(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """``pieces``, as long as there are at most so many bytes, and the one that makes them more."""
    for piece in pieces:
        yield piece
        most -= len(piece)
        if most < 0:
            return


def unpack(files: Sequence[Openable], scratch: Path) -> Unpacked:
    """Look into the archives among ``files``.

    Raises:
        DataError: one is damaged, or not what its name says. SourceError: one is too large to be looked into.
    """
    scratch.mkdir()
    return Unpacked(files, scratch)


def _is_packed(file: Openable) -> bool:
    """Whether a file may be an archive though it is not called like one: compressed, of no known format, and small enough for a look."""
    packed = file.name.lower().endswith(COMPRESSED) and may_be_archive(file.name, lambda: b"")
    return packed and file.size is not None and file.size <= beginning.WHOLE


def _local(path: Path) -> BinaryIO:
    return open(path, "rb")


def _head(file: Openable) -> bytes:
    with closing(file.open()) as data:
        return data.read(HEAD_BYTES)


def _zipped(file: Openable) -> Iterator[Openable]:
    with closing(file.open()) as data:
        size = data.seek(0, 2)
        source = SourceFile(file.name, Path(), "", size)
        listed = zip_listing(data, source, Guard(source, LIMITS, Counter()))

    def opened(member: Listed) -> BinaryIO:
        return cast("BufferedReader", as_file(member.open(file.open())))

    for member in listed:
        yield Openable(f"{file.name}/{member.path}", member.size, partial(opened, member))
