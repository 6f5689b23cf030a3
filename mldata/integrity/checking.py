"""Checking many files: worker processes that may hang or crash, a memo of what is known, a sample where files are too many.

The face of this package::

    with Checking(Options(jobs=2), memo) as checking:
        for result in checking.run(targets):   # in the order of the targets
            ...
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mldata.integrity.base import FileCheckResult
    from mldata.integrity.memo import Memo

__all__ = ["Checking", "Options", "Target"]


@dataclass(frozen=True)
class Target:
    """A file to check."""

    path: str
    """What it is called in results, with ``/``."""
    file: Path
    """Where it is."""
    digest: str | None = None
    """Of its content where that is known for certain: an object of the store."""


@dataclass(frozen=True)
class Options:
    """How files are checked. What is found does not depend on :attr:`jobs`."""

    jobs: int | None = None
    """Worker processes; None: one a processor."""
    timeout: float = 5.0
    """Seconds for one file; a worker that takes longer is ended."""
    memory: int = 1 << 30
    """Bytes of address space that one file may take beyond what a worker has when it starts, where the system can keep that."""


class Checking:
    """Worker processes for checking files. Several threads may call :meth:`run` at the same time; they share the workers."""

    def __init__(self, options: Options, memo: Memo | None = None) -> None:
        """Start nothing yet. ``memo``: what is known of contents; None: everything is looked at."""
        self.options = options
        self.memo = memo

    def run(
        self, targets: Iterable[Target], done: Callable[[int], None] = lambda size: None
    ) -> Generator[FileCheckResult, None, None]:
        """The verdict on each file, in the order in which they are given. To stop, close the generator.

        ``done`` is called with the bytes of each file that is finished.
        """
        raise NotImplementedError

    def __enter__(self) -> Checking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the workers."""
