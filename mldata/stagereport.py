"""What happened to a stage, of a build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mldata.plural import counted

if TYPE_CHECKING:
    from store import Digest

__all__ = ["StageReport"]


@dataclass(frozen=True)
class StageReport:
    """What happened to a stage in this session."""

    status: str
    """``up-to-date`` or ``ran``."""
    output: Digest
    hits: int = 0
    runs: int = 0
    rows: int | None = None
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As ``mldata build --json`` shows it."""
        return {
            "status": self.status,
            "actions": {"hit": self.hits, "run": self.runs},
            "output": self.output,
            "rows": self.rows,
            "seconds": round(self.seconds, 3),
        }

    def summary(self) -> str:
        """As the line of a stage that ran ends."""
        parts = [f"{self.runs} run, {self.hits} from cache"]
        if self.rows is not None:
            parts.append(counted(self.rows))
        for key in ("skipped", "excluded"):
            if count := self.facts.get(key, {}).get("count"):
                parts.append(f"{counted(count, 'file')} {key}")
        return ", ".join(parts)
