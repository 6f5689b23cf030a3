"""``validate.duplicates``."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from mldata import specvalues as values
from mldata.checkspecs.near import Near
from mldata.specsection import Section

__all__ = ["Duplicates"]


class Duplicates(Section):
    """How many rows may be there more than once."""

    example: ClassVar[str] = "{within: 1%, across: 0}"

    within: values.Most | None = None
    """Rows that equal an earlier one of their part. None: any number, and a warning; real data has some."""
    across: values.Most = 0
    """Rows of a later part (val, test) that an earlier one has. 0: what is measured on them is not what it seems. The check ``leakage``, if it is made, looks for them
    instead, unless this or ``columns`` is given."""
    columns: values.Columns = Field(default_factory=list)
    """By which rows are equal. None: all; of media the content of their files."""
    near: Near = Field(default_factory=Near)
    """What is nearly equal to something earlier in its part."""

    @property
    def owns_across(self) -> bool:
        """Whether rows across parts are for this check to tell, though ``leakage`` is made, too."""
        return bool(self.model_fields_set & {"across", "columns"})

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check; the order of columns has no meaning."""
        return {
            "within": self.within,
            "across": self.across,
            "columns": sorted(self.columns),
            "near": self.near.to_plain(),
        }
