"""Where raw files come from: one file a scheme, all behind the protocol in ``base``."""

from __future__ import annotations

from pathlib import Path

from mldata.sources.base import Source
from mldata.sources.local import LocalSource

__all__ = ["Source", "open_source"]


def open_source(text: str, root: Path) -> Source:
    """The source that ``text`` names; relative paths start at ``root``, the folder of the spec.

    Schemes other than a local path were refused when the spec was read.
    """
    return LocalSource(text, root)
