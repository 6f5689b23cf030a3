"""Whether an archive or a compressed file that came from elsewhere is whole, and can be unpacked without harm.

Servers state what they have, not whether that is any good: an upload that was cut off has the right size and digest. Who pulls a file called
``.zip`` or ``.csv.gz`` hears of it at once, not in the build of next week. It is read once, as a stream; nothing of what is in it is kept.

Invariant: what passes can be opened by the stages that read it, as far as its container goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mldata import archives
from mldata.errors import DataError, MissingExtra, SourceError
from mldata.formats import COMPRESSED
from mldata.formats.base import SourceFile
from mldata.formats.recode import compression, recode

if TYPE_CHECKING:
    from store import ObjectId, Store

__all__ = ["check_whole"]

NAMED = (*archives.SUFFIXES, *COMPRESSED)


def check_whole(store: Store, name: str, found: ObjectId, where: str) -> None:
    """Read a file that is called like an archive or a compressed one to its end; any other is left alone.

    Args:
        where: the source that it came from, for messages.

    Raises:
        SourceError: it is damaged, cut off, something else, or not safe to unpack (names that lead elsewhere, far more data than it has bytes).
    """
    if not name.lower().endswith(NAMED):
        return
    file = SourceFile(name, store.path(found.digest), found.digest, found.size)
    try:
        _read(file)
    except MissingExtra:  # what it takes to read it is told by the build that does
        return
    except DataError as error:
        raise SourceError(
            f"{error.where}: {error.message}",
            where=where,
            hint="It is so in the place that it came from: its owner can mend it. It is no part of the source here.",
        ) from None


def _read(file: SourceFile) -> None:
    kind = archives.archive_kind(file) if archives.may_be_archive(file.name, lambda: b"") else None
    if kind is not None:
        for member in archives.members(file, kind):
            for _ in member.data:
                pass
        return
    packed = compression(file)
    if packed is None:
        if file.name.lower().endswith(tuple(COMPRESSED)):
            raise DataError("expected a compressed file, found something else", where=file.name)
        return
    out = 0
    for piece in recode(file, packed):
        out += len(piece)
        if archives.LIMITS.blown(out, file.size):
            raise DataError(
                f"expected at most {archives.LIMITS.ratio} bytes out of each byte, found {out:,} out of {file.size:,}",
                where=file.name,
            )
