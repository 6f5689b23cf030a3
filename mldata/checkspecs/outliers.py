"""``validate.outliers``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field

from mldata import specvalues as values
from mldata.checkspecs.limits import Factor, Portion
from mldata.specsection import Section
from mldata.specvalues import Fault

__all__ = ["Outliers"]


class Outliers(Section):
    """Values that cannot be meant."""

    example: ClassVar[str] = "{far: 5, max: 0, skip: [NAME]}"

    far: Factor = 5.0
    """How many times the distance of the quartiles a number may be outside of them. Tukey's outer fences are at 3, which one of 400,000 numbers of a
    normal distribution is beyond; at 5 none of 10**12 is, so what is told is not chance. At least 3."""
    constant: Portion = 0.999
    """The share of rows with one and the same value from which a column is nearly constant: a thousandth of the rows is little to learn from."""
    mixed: Portion = 0.9
    """The share of numbers, or of dates, from which a column of text is one of these with something else among them. Below, texts that happen to
    be numbers (codes, answers) are as good a reason."""
    max: values.Most | None = None
    """Rows of each column that may be damaged beyond doubt (what is a warning of values: NaN, infinities, lost characters, numbers with words among
    them). None: none, as a warning; a limit is held to."""
    skip: values.Columns = Field(default_factory=list)
    """Columns that are not looked at: markup, text in an odd encoding on purpose."""

    def faults(self) -> Iterator[Fault]:
        """What is nearer than is counted."""
        if self.far < 3:
            yield Fault(f"expected a number of at least 3, found {self.far:g}", at=("far",))

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check; the order of columns has no meaning."""
        plain = {name: getattr(self, name) for name in type(self).model_fields}
        return {**plain, "skip": sorted(self.skip)}
