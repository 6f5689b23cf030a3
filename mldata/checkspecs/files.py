"""``validate.files``."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from mldata import specvalues as values
from mldata import stepvalues as reads
from mldata.specsection import Section
from mldata.specvalues import Fault

__all__ = ["Files"]

LONGEST = 3600
"""Seconds that a file may be given: a decoder that takes longer is not coming back."""


def _seconds(raw: Any) -> float:
    found = reads.scalar(raw)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found <= LONGEST:
        values.refuse(Fault(f"expected seconds, above 0 and at most {LONGEST}; found {values.shown(raw)}"))
    return float(found)


def _share(raw: Any) -> float:
    from mldata.errors import UsageError
    from mldata.quantities import parse_share

    try:
        return parse_share(str(reads.scalar(raw)))
    except UsageError as error:
        values.refuse(Fault(error.message, "for example 10%"))


class Files(Section):
    """Whether every file is whole, down to the last pixel and sample."""

    example: ClassVar[str] = "{max: 0, timeout: 5}"

    max: values.Most = 0
    """Corrupt files, as a number or a share: none, since training may die on the first."""
    sample: Annotated[float, BeforeValidator(_share)] = 1.0
    """Of the files, as a share: all, since what is known of a content is kept, so that each file is decoded once."""
    timeout: Annotated[float, BeforeValidator(_seconds)] = 5.0
    """Seconds for one file: some hundred times what a large photograph takes."""

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check."""
        return {"max": self.max, "sample": self.sample, "timeout": self.timeout}
