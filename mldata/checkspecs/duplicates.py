"""``validate.duplicates``."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from mldata import specvalues as values
from mldata.specsection import Section

__all__ = ["Duplicates"]


class Duplicates(Section):
    """How many rows may be there more than once."""

    example: ClassVar[str] = "{within: 1%, across: 0}"

    within: values.Most | None = None
    across: values.Most = 0
    columns: values.Columns = Field(default_factory=list)

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check; the order of columns has no meaning."""
        return {"within": self.within, "across": self.across, "columns": sorted(self.columns)}
