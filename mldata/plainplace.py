"""What the spec would say of files that no spec names: every default filled in, without reading one.

Invariant: it is what :func:`mldata.spec.parse_dataset` makes of the same sources (a test compares them). It is written down here since the classes that read specs
take a third of a second to load, which is most of a look at a small file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mldata.sources import LOCAL, local_path, scheme_of

__all__ = ["OWN_SPLIT", "plain_place"]

OWN_SPLIT: dict[str, Any] = {"parts": [], "method": "folder", "values": {}}
"""The split of what has parts of its own (:data:`mldata.ownparts.OWN_PARTS`)."""


def plain_place(sources: Sequence[str], root: Path) -> dict[str, Any] | None:
    """The plain form of a dataset of files and folders that are here; None for all that a closer look has to be taken at.

    Args:
        sources: paths, relative ones to ``root``.
    """
    if len(set(sources)) != len(sources) or not all(_is_here(source, root) for source in sources):
        return None
    return {
        "source": list(sources),
        "fetch": {},
        "normalize": {
            "format": "auto",
            "columns": "keep",
            "types": {},
            "nulls": ["", "NA"],
            "drop": [],
            "rename": {},
        },
        "transform": None,
        "split": None,
        "validate": None,
        "profile": None,
        "export": None,
    }


def _is_here(source: str, root: Path) -> bool:
    return (
        scheme_of(source) == LOCAL
        and source.isprintable()
        and local_path(source) == source
        and os.path.lexists(root / source)
    )
