"""What sections of checks have in common: numbers with a least and a most, values of columns."""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator

from mldata import specvalues as values
from mldata import stepvalues as reads
from mldata.specvalues import Fault

__all__ = ["Count", "Factor", "Portion", "Value"]


def _number(raw: Any, what: str, least: float, most: float) -> float:
    value = reads.plain(raw)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        values.refuse(Fault(f"expected {what}, found {values.shown(raw)}"))
    return value if isinstance(value, int) else float(value)


def _factor(raw: Any) -> float:
    return float(_number(raw, "a number of at least 1", 1, math.nextafter(math.inf, 0)))


def _portion(raw: Any) -> float:
    return float(_number(raw, "a number from 0 to 1", 0, 1))


def _count(raw: Any) -> int:
    number = values.as_whole_number(raw)
    if not 0 <= number < 2**63:
        values.refuse(Fault(f"expected a number of rows, found {values.shown(raw)}"))
    return number


def _written(raw: Any) -> str:
    if isinstance(raw, bool):
        return str(raw).lower()
    return str(raw) if isinstance(raw, int | float | date) else values.as_text(raw)


Factor = Annotated[float, BeforeValidator(_factor)]
"""How many times; at least once."""
Portion = Annotated[float, BeforeValidator(_portion)]
"""From 0 to 1."""
Count = Annotated[int, BeforeValidator(_count)]
"""A number of rows."""
Value = Annotated[str, BeforeValidator(_written)]
"""A value of a column as it is written."""
