"""What is known of contents: verdicts by digest and checker, and digests by the state of a file. Disposable: deleting it loses time only."""

from __future__ import annotations

from pathlib import Path

__all__ = ["Memo"]


class Memo:
    """A file of SQLite. Several processes may use it at the same time."""

    def __init__(self, path: Path) -> None:
        self.path = path
