"""What a source elsewhere was when it was last fetched: the entry that mldata.lock and receipts keep of it.

Invariant: the same revision of a source gives the same pin on every machine; no clock time, host or credential is in one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from store import Digest

__all__ = ["Pin"]


@dataclass(frozen=True)
class Pin:
    """One state of one source."""

    source: str
    """As the spec has it."""
    revision: str
    """See :attr:`mldata.sources.base.Resolved.revision`."""
    tree: Digest
    """Of its files."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the source says of itself there; plain values."""

    def to_json(self) -> dict[str, Any]:
        """For receipts and manifests."""
        plain: dict[str, Any] = {"source": self.source, "revision": self.revision, "tree": self.tree}
        return {**plain, "facts": dict(self.facts)} if self.facts else plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Pin:
        """What :meth:`to_json` gave."""
        return cls(**plain)
