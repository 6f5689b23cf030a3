"""A plan of garbage collection, as data: what would be deleted, in which order and why, and what stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from store.digest import Digest
from store.reach import Reach

__all__ = ["ORDER", "GcItem", "GcKind", "GcPlan", "GcRoot", "GcTotals"]

GcKind = Literal["ref", "result", "tree", "object", "partial", "tmp", "lease"]
ORDER: tuple[GcKind, ...] = ("ref", "result", "tree", "object", "partial", "tmp", "lease")
"""The order of deletion."""


class GcItem(NamedTuple):
    """One thing to delete, or deleted."""

    kind: GcKind
    name: str
    """The ref's name, the digest, or the file's name."""
    bytes: int
    reason: str
    """One sentence."""
    shared: bool = False
    """The file has other hard links (an export, DVC's cache): its space is free only when those go too."""


class GcRoot(NamedTuple):
    """Something that keeps what it reaches."""

    kind: Literal["ref", "extra", "lease"]
    name: str
    digest: Digest | None
    """None for a lease, which names many."""


@dataclass(frozen=True)
class GcTotals:
    """Counts, and bytes of the files."""

    refs: int = 0
    results: int = 0
    objects: int = 0
    """Trees among them."""
    bytes: int = 0
    """Of results and objects."""


@dataclass(frozen=True)
class GcPlan:
    """What gc would delete and why; from ``execute_gc``, what it did delete."""

    delete: tuple[GcItem, ...]
    """In the order of deletion."""
    keep: GcTotals
    roots: tuple[GcRoot, ...]
    warnings: tuple[str, ...] = ()
    """What the user should know: roots that lack something, a size that cannot be reached."""
    reach: Reach | None = field(default=None, repr=False, compare=False)
    """What the roots reached when the plan was made."""
    results: frozenset[bytes] = field(default=frozenset(), repr=False, compare=False)
    """Keys of the action results that stay; one that is not among them came later."""
    extra_roots: Mapping[str, Digest] = field(default_factory=dict, repr=False, compare=False)
    doomed: Mapping[str, Digest] = field(default_factory=dict, repr=False, compare=False)
    """Refs to delete, with what they named when the plan was made."""

    @property
    def totals(self) -> GcTotals:
        """What ``delete`` adds up to."""
        count = dict.fromkeys(ORDER, 0)
        for item in self.delete:
            count[item.kind] += 1
        return GcTotals(
            count["ref"],
            count["result"],
            count["tree"] + count["object"],
            sum(item.bytes for item in self.delete),
        )

    @property
    def freed(self) -> int:
        """Bytes of disk that really become free: without files that have other hard links."""
        return sum(item.bytes for item in self.delete if not item.shared)
