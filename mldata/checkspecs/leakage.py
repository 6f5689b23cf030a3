"""``validate.leakage``."""

from __future__ import annotations

from typing import Any, ClassVar

from mldata.specsection import Section

__all__ = ["Leakage"]


class Leakage(Section):
    """What parts must not share, and what gives the label away."""

    example: ClassVar[str] = "{}"

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the check."""
        return {}
