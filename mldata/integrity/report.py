"""The report of a check of files: counts, what is wrong with which, how it was sampled; as JSON, Markdown, HTML and text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldata.integrity.base import FileCheckResult

__all__ = ["FilesReport", "Sampled"]


@dataclass(frozen=True)
class Sampled:
    """How files were chosen where not all were looked at."""

    share: float
    seed: int
    chosen: int
    of: int


@dataclass(frozen=True)
class FilesReport:
    """What checking the files of one place has found."""

    place: str
    """The folder, file or dataset."""
    total: int
    """Files there."""
    counts: Mapping[str, int]
    """By verdict, every verdict named."""
    types: Mapping[str, Mapping[str, int]]
    """By type, then by verdict."""
    files: Sequence[FileCheckResult]
    """Those that are not valid, by path; at most :data:`KEPT_SKIPPED` of those that were skipped."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Files that were skipped, by suffix (``without suffix``)."""
    sampled: Sampled | None = None
    interrupted: bool = False
    """Whether it was stopped before all were looked at."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """``timeout`` and what else the verdicts depend on."""


KEPT_SKIPPED = 1000
