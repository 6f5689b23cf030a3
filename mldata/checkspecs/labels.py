"""``validate.labels``.

A limit that is not given is one of suspicion: what is beyond it is a warning (the check's module has the numbers and their reasons). A limit that is
given is held to: what is beyond it is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field

from mldata import specvalues as values
from mldata.checkspecs.limits import Count, Factor, Portion
from mldata.specsection import Section
from mldata.specvalues import Fault

__all__ = ["Labels"]


class Labels(Section):
    """How labels are spread, and whether equal inputs have equal labels."""

    example: ClassVar[str] = "{column: NAME, min_rows: 10}"

    column: values.Name | None = None
    """The column of labels. None: the first of ``label``, ``labels``, ``target``, ``targets``, ``class``, ``y``, ``category`` that the table has, in
    any case of letters: names that say by themselves that a model is to learn the column."""
    inputs: values.Columns = Field(default_factory=list)
    """Columns by which inputs are equal. None: all but the labels and those that only number rows (``id``, ``index``); of media the content of files."""
    max_ratio: Factor | None = None
    """How many times as many rows as the smallest class the largest one may have. None: 20, at which the small one of two classes has 5% of the rows
    and who never says it is right 95% of the time."""
    min_entropy: Portion | None = None
    """How even classes have to be: Shannon's entropy of their shares as a part of that of equal ones, from 0 to 1. None: 0.3, what two classes of
    95% and 5% have; unlike the ratio it looks at all classes and not at two."""
    min_rows: Count | None = None
    """Rows that each class has to have. None: 10, the fewest of which an 80/10/10 split gives each part one."""
    min_part_rows: Count | None = None
    """Rows that each class has to have in each part. None: 1, as a class that a part lacks is not learned, or not measured."""
    missing: values.Most | None = None
    """Rows that may have no label. None: none."""
    conflicts: values.Most | None = None
    """Rows that may have an input which has another label elsewhere. None: none, as no model can be right about both."""

    def faults(self) -> Iterator[Fault]:
        """Labels that are among the inputs."""
        if self.column is not None and self.column in self.inputs:
            yield Fault(f"{self.column!r} is the column of labels, and not an input", at=("inputs",))

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check; the order of inputs has no meaning."""
        plain = {name: getattr(self, name) for name in type(self).model_fields}
        return {**plain, "inputs": sorted(self.inputs)}
