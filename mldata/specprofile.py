"""The ``profile`` section of ``mldata.yaml``: whether each build keeps summaries of its table, and of each part of it.

``profile: true`` stands for ``{}``, and ``false`` for no such section.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from mldata import specvalues as values
from mldata.specsection import Section
from mldata.yamltree import Scalar

__all__ = ["Profile", "ProfileSection"]


class Profile(Section):
    """What is summarized."""

    example: ClassVar[str] = "{parts: true}, or true"

    parts: values.Flag = False

    def to_plain(self) -> dict[str, Any]:
        """Parameters of the stage."""
        return {"parts": self.parts}


def _as_section(raw: Any) -> Any:
    flag = raw.value if isinstance(raw, Scalar) else raw
    if isinstance(flag, bool):
        return {} if flag else None
    return raw


ProfileSection = Annotated[Profile | None, BeforeValidator(_as_section)]
