"""Lines of a block of code that depend on what a dataset has: ``<WORD>`` in the block stands for them.

Invariant: what is put in is fixed text of mldata's own. Names of a dataset reach code through :mod:`mldata.frameworks.literal` alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["filled"]


def filled(block: str, lines: Mapping[str, str]) -> str:
    """``block`` with the text of each word. Raises ``KeyError`` for a word without one."""
    return re.sub(r"<([A-Z_]+)>", lambda found: lines[found[1]], block)
