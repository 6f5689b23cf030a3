"""A file that is read as if it were others' bytes put together: stretches of a content, and bytes that stand in for some of it. Nothing is copied."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from mldata.integrity.content import Content

__all__ = ["Pieced"]


class Pieced(io.RawIOBase):
    """Readable and seekable. Use it while the content is open."""

    def __init__(self, content: Content, pieces: Sequence[tuple[int, int] | bytes]) -> None:
        """``pieces``: in order, (start, end) of a stretch, or bytes."""
        self._data = content.data
        self._pieces = [piece for piece in pieces if isinstance(piece, bytes) or piece[0] < piece[1]]
        sizes = (len(p) if isinstance(p, bytes) else p[1] - p[0] for p in self._pieces)
        self._starts = [0, *accumulate(sizes)]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        target = memoryview(buffer).cast("B")
        done = 0
        # All that is asked for: libsndfile takes less for the end.
        while done < len(target) and self._at < self._starts[-1]:
            index = bisect_right(self._starts, self._at) - 1
            piece, inside = self._pieces[index], self._at - self._starts[index]
            size = min(len(target) - done, self._starts[index + 1] - self._at)
            source = piece if isinstance(piece, bytes) else self._data
            start = inside if isinstance(piece, bytes) else piece[0] + inside
            target[done : done + size] = source[start : start + size]
            done += size
            self._at += size
        return done
