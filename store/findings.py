"""What a check found, as data: findings, and the report that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from store.digest import Digest

__all__ = ["CheckReport", "Finding", "FindingKind"]

FindingKind = Literal[
    "missing",
    "truncated",
    "altered",
    "stray",
    "bad-name",
    "bad-result",
    "bad-ref",
    "bad-tree",
    "bad-mode",
    "bad-partial",
    "temporary",
]
HARMLESS: frozenset[FindingKind] = frozenset({"stray", "bad-name", "bad-mode", "bad-partial", "temporary"})
"""Untidy, but nobody is served anything wrong and nothing is lost."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    kind: FindingKind
    path: str
    digest: Digest | None = None
    needed_by: tuple[str, ...] = ()
    """Refs (``ref datasets/penguins/3``) and action results (``result abc…``) that reach it."""
    remedy: str = ""
    """What to do, or what ``repair`` did; a sentence."""

    @property
    def matters(self) -> bool:
        """Whether something is wrong or lost, rather than untidy."""
        return self.kind not in HARMLESS


@dataclass(frozen=True)
class CheckReport:
    """What a check found."""

    findings: tuple[Finding, ...]
    objects: int
    """Objects whose name and seal were looked at."""
    read: int
    """Objects whose content was hashed."""
    bytes: int
    """Bytes hashed."""
    finished: bool = True
    """False when ``max_duration`` ended before everything asked for was read."""
    unread: int = 0
    """Objects that were to be read and were not, for lack of time."""

    @property
    def ok(self) -> bool:
        """Whether nothing that matters was found."""
        return not any(finding.matters for finding in self.findings)
