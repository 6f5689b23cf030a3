"""Counts of things as people read them."""

from __future__ import annotations

__all__ = ["counted"]


def counted(count: int, what: str = "row") -> str:
    """``1 row``, ``1,200 rows``."""
    return f"{count:,} {what}{'s'[: count != 1]}"
