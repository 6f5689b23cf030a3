"""``validate.missing``."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from mldata import specvalues as values
from mldata.specsection import Section

__all__ = ["Missing"]


class Missing(Section):
    """How many values may be missing."""

    example: ClassVar[str] = "{max: 5%, columns: {NAME: 0}}"

    max: values.Most | None = None
    columns: dict[str, values.Most] = Field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check."""
        return {"max": self.max, "columns": dict(sorted(self.columns.items()))}
