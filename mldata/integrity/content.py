"""The bytes of a file while it is checked: read once, or mapped where they are many."""

from __future__ import annotations

import mmap
import os
from types import TracebackType
from typing import BinaryIO

__all__ = ["MAPPED", "Content"]

MAPPED = 8 << 20
"""A file of at least so many bytes is mapped. A mapped file that another program cuts short ends the process, so that small ones are read."""


class Content:
    """An open file. Use as a context manager.

    Attributes:
        file: the file itself, open for reading and seekable; its position is nobody's.
        size: bytes.
        data: all of them, not to be kept after the end.
    """

    def __init__(self, path: str | os.PathLike[str] | int) -> None:
        """Open ``path``, or take over a descriptor. Raises ``OSError``."""
        self.file: BinaryIO = open(path, "rb")  # noqa: SIM115
        self.size = os.fstat(self.file.fileno()).st_size
        self._map: mmap.mmap | None = None
        self._data: bytes | None = None

    @property
    def data(self) -> bytes | mmap.mmap:
        """The bytes: ``find``, slices (which copy), ``len`` and ``memoryview`` work on both kinds."""
        if self._map is not None:
            return self._map
        if self._data is None:
            if self.size >= MAPPED:
                self._map = mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ)
                return self._map
            self.file.seek(0)
            self._data = self.file.read()
            self.size = len(self._data)
        return self._data

    @property
    def head(self) -> bytes:
        """The first bytes, enough to tell what it is."""
        return bytes(self.data[:4096])

    def __enter__(self) -> Content:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._map is not None:
            self._map.close()
        self.file.close()
