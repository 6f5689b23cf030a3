"""``validate.labels``."""

from __future__ import annotations

from typing import Any, ClassVar

from mldata.specsection import Section

__all__ = ["Labels"]


class Labels(Section):
    """How labels are spread, and whether equal inputs have equal labels."""

    example: ClassVar[str] = "{}"

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check."""
        return {}
