"""``-``: standard input as a source of one file. It cannot be read twice, so mldata.yaml cannot name it."""

from __future__ import annotations

from pathlib import Path

from mldata.sources.base import Listing
from mldata.sources.local import LocalSource

__all__ = ["StdinSource"]


class StdinSource:
    """What comes on standard input, read when it is first listed.

    Args:
        text: ``-``.
        root: not needed.
    """

    def __init__(self, text: str, root: Path) -> None:
        self.text = self.key = text
        self._root = root

    def listing(self) -> Listing:
        """One file, called by what its first bytes tell (:mod:`mldata.standardinput`)."""
        from mldata.standardinput import spooled

        return LocalSource(str(spooled()), self._root).listing()
