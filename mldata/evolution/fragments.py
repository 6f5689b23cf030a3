"""How much of two tables is the same without a look at any row: fragments by their digests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mldata.subjects import Subject

__all__ = ["FragmentCount", "count_fragments"]


@dataclass(frozen=True)
class FragmentCount:
    """What is known of two tables' rows before any is read."""

    old_rows: int
    new_rows: int
    old: int
    """Fragments."""
    new: int
    equal: int
    """Fragments that both have, as often."""
    media: bool
    """Whether their media files are the same, or there are none."""

    @property
    def same(self) -> bool:
        """Whether every row and file is the same; False: that is not known, or not so."""
        return self.equal == self.old == self.new and self.media

    @property
    def differs(self) -> bool:
        """Whether it is known that rows differ."""
        return self.old_rows != self.new_rows

    def to_json(self) -> dict[str, Any]:
        """As ``mldata diff --json`` has it: numbers of rows are null where nobody has looked."""
        known = 0 if self.same else None
        return {
            "rows": [self.old_rows, self.new_rows],
            "added": known,
            "removed": known,
            "changed": known,
            "compared": False,
            "fragments": {"equal": self.equal, "unread": [self.old - self.equal, self.new - self.equal]},
        }


def count_fragments(old: Subject, new: Subject) -> FragmentCount:
    """Compare the fragments of two subjects; of parts, with the rows of each that are in it."""
    from mldata.evolution.tablerows import TableRows

    sides = TableRows(old, {}), TableRows(new, {})
    before, after = (side.tokens() for side in sides)
    alike = old.table.schema.equals(new.table.schema)
    equal = (Counter(before) & Counter(after)).total() if alike else 0
    return FragmentCount(
        sides[0].rows,
        sides[1].rows,
        len(before),
        len(after),
        equal,
        old.table.media == new.table.media,
    )
