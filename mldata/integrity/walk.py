"""The files below a folder, whatever is there: links, pipes, loops, names that are no text. Nothing but regular files is ever opened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mldata.integrity.base import FileCheckResult
    from mldata.integrity.checking import Target

__all__ = ["walk"]


def walk(root: Path) -> Iterator[Target | FileCheckResult]:
    """Each file below ``root`` (or ``root`` itself, a file) in the order of the paths' bytes; what is no file that could be opened as a result.

    Raises:
        UsageError: there is nothing at ``root``.
    """
    raise NotImplementedError
