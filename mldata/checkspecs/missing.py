"""``validate.missing``."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from mldata import specvalues as values
from mldata.checkspecs.limits import Portion, Value
from mldata.specsection import Section

__all__ = ["Missing"]


class Missing(Section):
    """How many values may be missing."""

    example: ClassVar[str] = "{max: 5%, columns: {NAME: 0}}"

    max: values.Most | None = None
    """Rows of each column that may have no value. None: half of them, as a warning: what is left tells little."""
    columns: dict[str, values.Most] = Field(default_factory=dict)
    """The same by name."""
    row: Portion | None = None
    """The share of its columns that a row may lack. None: half of them, as a note, and all of them, as a warning: such a row is most often a line
    that was cut or an outer join that found nothing."""
    sentinels: (
        Annotated[list[Value], AfterValidator(values.distinct), BeforeValidator(values.as_list)] | None
    ) = None
    """Values that stand for a missing one; any of them is a warning. None: those that programs and people write for it, as far as nothing else in the
    column speaks against it (:mod:`mldata.checks.sentinels`)."""

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check; the order of columns and of sentinels has no meaning."""
        return {
            "max": self.max,
            "columns": dict(sorted(self.columns.items())),
            "row": self.row,
            "sentinels": None if self.sentinels is None else sorted(self.sentinels),
        }
