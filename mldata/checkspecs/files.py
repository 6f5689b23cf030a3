"""``validate.files``."""

from __future__ import annotations

from typing import Any, ClassVar

from mldata.specsection import Section

__all__ = ["Files"]


class Files(Section):
    """Whether every file is whole, down to the last pixel and sample."""

    example: ClassVar[str] = "{}"

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check."""
        return {}
