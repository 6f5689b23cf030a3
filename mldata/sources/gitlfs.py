"""Files that Git LFS keeps beside a repository: a pointer stands in the repository, the git-lfs program fetches what it points to.

https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mldata.download.base import Validator
from mldata.errors import MissingExtra, MldataError, NetworkError
from mldata.lfspointer import Pointer, object_path
from mldata.sources.gitclone import PIECE, Clone
from mldata.sources.gitprogram import Git

__all__ = ["LfsOrigin"]


def _asked(pointer: Pointer) -> str:
    """What a clone calls the data, beside its own files."""
    return f"lfs {pointer.sha256}"


class LfsOrigin:
    """A file that Git LFS keeps; see :class:`mldata.download.base.Origin`."""

    def __init__(
        self, source: object, clone: Clone, git: Git, place: str, pointer: Pointer, name: str
    ) -> None:
        self._source, self._clone, self._git = source, clone, git  # the clone lasts as long as its source
        commit, _, self._blob = place.partition(":")
        self._pointer = pointer
        clone.want(_asked(pointer), commit)
        self._lock = threading.Lock()
        self.name = name
        self.identity = f"git lfs {pointer.sha256}"

    def open(self, start: int = 0, stop: int | None = None, match: Validator | None = None) -> LfsBody:
        """See :meth:`mldata.download.base.Origin.open`. The first one waits until git-lfs has fetched all of it, which resumes by itself."""
        same = match is None or match.etag in (None, f'"{self._pointer.sha256}"')
        with self._lock:
            path = self._fetched()
        body = LfsBody(path, self._pointer, start if same else 0, stop if same else None, same)
        body.at_end = lambda: self._clone.was_read(_asked(self._pointer))
        return body

    def _fetched(self) -> Path:
        pointer = self._clone.read(self._blob)
        path = self._clone.path / "lfs" / "objects" / object_path(self._pointer.sha256)
        if path.exists():
            return path
        if shutil.which("git-lfs") is None:
            raise MissingExtra(
                "expected the data, found a pointer of Git LFS in its place; the program git-lfs, which fetches it, is not installed",
                where=self.name,
                hint="Install it: https://git-lfs.com",
            )
        try:
            self._git.run("lfs", "smudge", folder=str(self._clone.path), given=pointer)
        except MldataError as error:
            error.where = self.name
            raise
        if not path.exists():
            raise NetworkError(
                "git-lfs did not fetch it",
                where=self.name,
                hint="Try the same with git itself: git lfs fetch",
            )
        return path


class LfsBody:
    """What git-lfs fetched; see :class:`mldata.download.base.Body`."""

    ranges = True

    def __init__(self, path: Path, pointer: Pointer, start: int, stop: int | None, same: bool) -> None:
        self._file = open(path, "rb")  # noqa: SIM115  (closed with the body)
        self.start = start
        self.reason = None if same else "it is not what the earlier bytes are of"
        self.validator = Validator(etag=f'"{pointer.sha256}"', size=os.fstat(self._file.fileno()).st_size)
        self.digests: Mapping[str, str] = {"sha256": pointer.sha256}
        self._stop = stop if stop is not None else self.validator.size or 0
        self.at_end: Callable[[], None] = lambda: None

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(self.start)
        left = self._stop - self.start
        while left > 0 and (data := self._file.read(min(PIECE, left))):
            left -= len(data)
            yield data
        if self._stop == self.validator.size:
            self.at_end()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> LfsBody:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
