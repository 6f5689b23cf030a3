"""What has changed between two schemas, change by change, each breaking or not.

Breaking: one who reads the new data as the old schema said (by name, of that type, never null where it said so) may fail, or take it for something else.
``SCHEMAS.md`` beside this file says it of each change.

Invariant: equal schemas give equal differences in one order, and none at all where nothing has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ADDED",
    "KINDS",
    "NULLABILITY",
    "REMOVED",
    "RENAMED",
    "REORDERED",
    "TYPE",
    "Change",
    "SchemaDiff",
]

ADDED, REMOVED, RENAMED, TYPE, NULLABILITY, REORDERED = KINDS = (
    "added",
    "removed",
    "renamed",
    "type",
    "nullability",
    "reordered",
)


@dataclass(frozen=True)
class Change:
    """One change of a column, or of a field inside one."""

    kind: str
    """One of :data:`KINDS`."""
    path: str
    """The column as it is now (of what was removed: as it was): ``price``, ``address.city``, ``tags[]``, ``scores{value}``."""
    breaking: bool
    old: str | None = None
    """What was: type, name, ``not null`` or ``nullable``, position from 1; None of what is new."""
    new: str | None = None
    """What is; None of what is gone."""
    why: str = ""
    score: float | None = None
    """Of a guessed rename: how alike the columns are, up to 1."""
    nullable: bool | None = None
    """Of what was added or removed."""
    relation: str | None = None
    """Of a changed type: ``layout``, ``wider``, ``narrower`` or ``other``."""
    top: bool = True
    """False of a field inside a column that was added or removed."""

    def to_json(self) -> dict[str, Any]:
        """What is known of it."""
        told: dict[str, Any] = {"path": self.path}
        if self.kind in (ADDED, REMOVED):
            told |= {"type": self.new or self.old, "nullable": self.nullable}
        elif self.kind == REORDERED:
            told |= {"old": int(self.old or 0), "new": int(self.new or 0)}
        else:
            told |= {"old": self.old, "new": self.new}
        if self.kind == RENAMED:
            told |= {"score": self.score, "guess": True}
        if self.kind == TYPE:
            told["change"] = self.relation
        return told | {"why": self.why, "breaking": self.breaking}


@dataclass(frozen=True)
class SchemaDiff:
    """All changes from one schema to another."""

    changes: Sequence[Change] = ()

    def of(self, kind: str) -> list[Change]:
        """The changes of one of :data:`KINDS`."""
        return [change for change in self.changes if change.kind == kind]

    @property
    def same(self) -> bool:
        """Whether nothing has changed."""
        return not self.changes

    @property
    def breaking(self) -> bool:
        """Whether any change is."""
        return any(change.breaking for change in self.changes)

    @property
    def guessable(self) -> bool:
        """Whether columns may have been renamed: some are gone, and some are new."""
        tops = {change.kind for change in self.changes if change.kind in (ADDED, REMOVED) and change.top}
        return len(tops) == 2

    def to_json(self) -> dict[str, Any]:
        """As ``mldata diff --json`` has it."""
        told: dict[str, Any] = {kind: [it.to_json() for it in self.of(kind)] for kind in KINDS}
        told["type_changes"] = told.pop(TYPE)
        told["nullability_changes"] = told.pop(NULLABILITY)
        return told | {"same": self.same, "breaking": self.breaking}
