"""``validate.outliers``."""

from __future__ import annotations

from typing import Any, ClassVar

from mldata.specsection import Section

__all__ = ["Outliers"]


class Outliers(Section):
    """Values that cannot be meant."""

    example: ClassVar[str] = "{}"

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check."""
        return {}
