"""What every mapping of ``mldata.yaml`` has in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

from mldata.specvalues import Fault, refuse

__all__ = ["Section"]


class Section(BaseModel):
    """A mapping of the spec. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    later: ClassVar[frozenset[str]] = frozenset()
    """Keys that the design has and this version does not."""
    example: ClassVar[str]
    """What to write where something else than a mapping was found."""

    def faults(self) -> Iterator[Fault]:
        """What is wrong between values that are right by themselves."""
        yield from ()

    @model_validator(mode="after")
    def _check(self) -> Section:
        if faults := list(self.faults()):
            refuse(*faults)
        return self
