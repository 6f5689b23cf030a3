"""What columns are there for, as far as their names say it."""

from __future__ import annotations

import re

from mldata.checks.base import Subject

__all__ = ["LABELS", "NUMBERING", "is_group", "label_column"]

LABELS = ("label", "labels", "target", "targets", "class", "y", "category")
"""Names that say by themselves that a column is to be learned, in any case of letters, in the order in which they are looked for."""
NUMBERING = frozenset({"id", "index", "row_index", "uuid", "unnamed: 0"})
"""Names of columns that number rows, in small letters: equal inputs are equal without them."""
_GROUP = re.compile(
    r"(?:.*_)?(?:patient|subject|speaker|user|customer|person|session|scene|document|doc|author|household|family|donor|video|recording)(?:_?id)?",
    re.IGNORECASE,
)
"""Names of what several rows come from."""


def label_column(subject: Subject) -> str | None:
    """The column that is to be learned, where the spec names none: the first of :data:`LABELS` that there is. Of media it is always called ``label``."""
    names = subject.schema.names
    if subject.kind != "tabular":
        return "label" if "label" in names else None
    folded = {name.casefold(): name for name in reversed(names)}
    return next((folded[name] for name in LABELS if name in folded), None)


def is_group(name: str) -> bool:
    """Whether a column seems to name what several rows come from."""
    return _GROUP.fullmatch(name) is not None
