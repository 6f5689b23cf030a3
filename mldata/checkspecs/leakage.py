"""``validate.leakage``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field

from mldata import specvalues as values
from mldata.checkspecs.near import Near
from mldata.specsection import Section
from mldata.specvalues import Fault

__all__ = ["Leakage"]


class Leakage(Section):
    """What parts must not share, and what gives the label away."""

    example: ClassVar[str] = "{groups: patient_id, label: diagnosis}"

    rows: values.Most = 0
    """Rows of a later part (val, test) that an earlier one has, whole or but for the label. 0: what is measured on them is not what it seems."""
    groups: values.Columns = Field(default_factory=list)
    """Columns (a patient, a speaker, a document) of which no value may be in two parts."""
    near: Near = Field(default_factory=Near)
    """What is nearly equal to something in an earlier part."""
    label: values.Name | None = None
    """The column that is to be learned. None: the first that is called ``label``, ``labels``, ``target``, ``targets``, ``class``, ``y`` or ``category``."""
    ignore: values.Columns = Field(default_factory=list)
    """Columns that may tell the label, since nobody learns from them: its name beside its number, say."""

    def faults(self) -> Iterator[Fault]:
        """A label that is a group."""
        if self.label is not None and self.label in self.groups:
            yield Fault(f"{self.label!r} is the label, which all parts have to share", at=("groups",))

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check; the order of columns has no meaning."""
        return {
            "rows": self.rows,
            "groups": sorted(self.groups),
            "near": self.near.to_plain(),
            "label": self.label,
            "ignore": sorted(self.ignore),
        }
