"""What is not the same of two datasets, builds, exports, files or parts: their schemas, their making, their rows, their distributions.

Invariant: a part of it is None where nobody has asked for it, or nobody can tell; it is never empty instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mldata.evolution.datadiff import DataDiff

if TYPE_CHECKING:
    from mldata.drift.report import DriftReport
    from mldata.evolution.fragments import FragmentCount
    from mldata.evolution.making import MakingDiff
    from mldata.evolution.schemadiff import SchemaDiff

__all__ = ["DATA", "DRIFT", "MANIFEST", "SCHEMA", "SECTIONS", "DiffReport"]

SCHEMA, MANIFEST, DATA, DRIFT = SECTIONS = ("schema", "manifest", "data", "drift")


@dataclass(frozen=True)
class DiffReport:
    """See the module."""

    old: str
    """What was compared, as it was written."""
    new: str
    schema: SchemaDiff | None = None
    making: MakingDiff | None = None
    data: DataDiff | FragmentCount | None = None
    """A count of equal fragments where rows were not compared."""
    drift: DriftReport | None = None
    warnings: Sequence[str] = ()

    @property
    def breaking(self) -> bool:
        """Whether one who reads by the old schema may fail."""
        return self.schema is not None and self.schema.breaking

    @property
    def differs(self) -> bool:
        """Whether anything is not the same, of all that was looked at."""
        return (
            (self.schema is not None and not self.schema.same)
            or (self.making is not None and not self.making.same)
            or (self.data is not None and self.data.differs)
            or (self.drift is not None and bool(self.drift.drift or self.drift.added or self.drift.removed))
        )

    @property
    def same(self) -> bool:
        """Whether it is known that nothing differs. Rows that were not compared leave that open, unless all fragments are equal, and so do columns."""
        if isinstance(self.data, DataDiff):
            known = not self.data.left_out
        else:
            known = self.data is None or self.data.same
        return known and not self.differs

    def to_json(self) -> dict[str, Any]:
        """As ``mldata diff --json`` has it."""
        drift = None
        if self.drift is not None:
            from mldata.drift.form import drift_to_json

            drift = drift_to_json(self.drift)
        return {
            "old": self.old,
            "new": self.new,
            "schema": self.schema.to_json() if self.schema is not None else None,
            "manifest": self.making.to_json() if self.making is not None else None,
            "data": self.data.to_json() if self.data is not None else None,
            "drift": drift,
            "same": self.same,
            "breaking": self.breaking,
        }
