"""How a check of files is shown: how many are done of how many, bytes a second, time left, and what was found so far.

A bar on a terminal, a line every ten seconds elsewhere, nothing where nobody wants it: it is a stage like others (:class:`mldata.reporter.StageProgress`).
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mldata.reporter import Reporter

__all__ = ["FilesProgress"]


class FilesProgress:
    """The progress of one check. Use as a context manager; :meth:`done` suits ``Checking.run``."""

    def __init__(self, reporter: Reporter, name: str, files: int, size: int = 0) -> None:
        """A check of ``files`` files of ``size`` bytes in all begins; ``name`` is that of the dataset or folder."""
        self._stage = reporter.stage(name, "validate")
        self._stage.plan(files, size)
        self._files = self._bad = 0

    def done(self, size: int) -> None:
        """One more file is finished, of so many bytes."""
        self._files += 1
        self._stage.advance(self._label, size)

    def found(self, corrupt: bool) -> None:
        """What the last file was found to be."""
        self._bad += corrupt

    @property
    def _label(self) -> str:
        return f"{self._bad:,} corrupt" if self._bad else ""

    def __enter__(self) -> FilesProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        files = f"{self._files:,} file{'s'[: self._files != 1]} looked at"
        self._stage.finish(None if kind is not None else f"{files}, {self._bad:,} corrupt")
