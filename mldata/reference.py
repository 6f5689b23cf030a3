"""``dataset://NAME`` and ``dataset://NAME#PART``: another dataset of the same spec as a source.

It means the table that the other dataset has after its last step (transform, else normalize), or the rows of one part of its split.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["FORM", "SCHEME", "Reference", "is_reference", "parse_reference"]

SCHEME = "dataset"
FORM = "dataset://NAME or dataset://NAME#PART"
_REFERENCE = re.compile(r"dataset://([^#/?@]+)(?:#([^#]+))?", re.IGNORECASE)


class Reference(NamedTuple):
    """What a source that is a dataset names."""

    dataset: str
    part: str | None = None
    """None: the rows of all parts, or of none."""

    def __str__(self) -> str:
        return f"{SCHEME}://{self.dataset}" + (f"#{self.part}" if self.part is not None else "")


def is_reference(text: str) -> bool:
    """Whether a source is meant to be a dataset, rightly written or not."""
    return text[: len(SCHEME) + 3].lower() == f"{SCHEME}://"


def parse_reference(text: str) -> Reference | None:
    """The dataset that a source names; None if it is no dataset, or not written as :data:`FORM` says."""
    found = _REFERENCE.fullmatch(text)
    return Reference(found[1], found[2]) if found else None
